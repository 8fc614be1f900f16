import { EXIT } from '../errors.ts'
import { toRaceLines } from '../race-view.ts'
import { verb } from '../verb.ts'

/** `regatta race`: what the race says now; exit code 3 while it has not decided. */
export const race = verb<{ watch: boolean }>({
  brief: 'Show the race: losses, the improvement with its confidence sequence, the verdict',
  description:
    'May be looked at as often as one likes: the bounds hold at every look. Exits with 3 while there is no verdict.',
  flags: {
    watch: {
      kind: 'boolean',
      brief: 'Print again whenever something changes, until there is a verdict',
      default: false,
      withNegated: false,
    },
  },
  deployment: true,
  async run(call, flags) {
    const { openClient } = await import('../client.node.ts')
    const { openWorkplace } = await import('../workplace.node.ts')
    const { pause } = await import('../pause.node.ts')
    const { RegattaError } = await import('../../core/errors.ts')
    await using client = await openClient(call, await openWorkplace(call))
    let shown = ''
    for (;;) {
      const now = await client.race()
      if (now === undefined) {
        throw new RegattaError('RACE_NONE', 'There is no race yet: nothing runs beside the champion', {
          fix: 'regatta deploy VERSION --challenger b --shadow',
        })
      }
      const text = call.json ? `${JSON.stringify(now)}\n` : toRaceLines(now, call.colours)
      if (text !== shown) call.out(text)
      shown = text
      const decided = now.verdict.state !== 'warming-up' && now.verdict.state !== 'keep-racing'
      if (decided) return EXIT.done
      if (!flags.watch) return EXIT.undecided
      if (!(await pause(500, call.signal))) return EXIT.interrupted
    }
  },
})
