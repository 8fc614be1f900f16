import { UsageError } from '../../core/errors.ts'
import { verb } from '../verb.ts'

type Flags = {
  readonly watch: boolean
  readonly from: string | undefined
  readonly config: string | undefined
  readonly every: string | undefined
  readonly svg: string | undefined
}

/** `regatta race`: what the race says now; exit code 3 while it has not decided. */
export const race = verb<Flags>({
  brief: 'Show the races: losses, the improvement with its confidence sequence, the verdict',
  description:
    'May be looked at as often as one likes: the bounds hold at every look. Several challengers race side by side; ' +
    'with a name only its race is shown. Exits with 3 while one of those shown has no verdict. ' +
    'With --from it says what the race would have said of outcomes in a file that regatta export wrote ' +
    '(.ndjson, .csv, .parquet), or that you kept, one JSON object per line: ' +
    '{"request": "1", "variant": "a", "loss": 0.5}, or "prediction" and "truth" in the place of "loss"; ' +
    '"entity", "series", "at", "epoch", "weights" and "covariate" may be added. Rows of one request are a pair.',
  flags: {
    watch: {
      kind: 'boolean',
      brief: 'Keep showing it, on a terminal with the confidence sequence drawn, until there is a verdict',
      default: false,
      withNegated: false,
    },
    from: {
      kind: 'parsed',
      parse: String,
      brief: 'Replay outcomes from this file, or -',
      placeholder: 'file',
      optional: true,
    },
    config: {
      kind: 'parsed',
      parse: String,
      brief: 'With --from: a regatta.yaml with name and race [default: that of this folder]',
      placeholder: 'file',
      optional: true,
    },
    every: {
      kind: 'parsed',
      parse: String,
      brief: 'With --from: print after every so many labels too',
      placeholder: 'labels',
      optional: true,
    },
    svg: {
      kind: 'parsed',
      parse: String,
      brief: 'With --from: write a picture here',
      placeholder: 'file',
      optional: true,
    },
  },
  deployment: true,
  args: [{ brief: 'The challenger (default: all of them)', placeholder: 'challenger', optional: true }],
  async run(call, flags, [challenger]) {
    const { config, every, from, svg } = flags
    if (from !== undefined && !flags.watch) {
      const { replayRace } = await import('../replaying.node.ts')
      return replayRace(call, { from, config, every: parseEvery(every), svg })
    }
    if ([config, every, svg, from].some(flag => flag !== undefined)) {
      throw new UsageError('USAGE', 'Cannot use --config, --every or --svg without --from, or --from with --watch', {
        fix: 'regatta race --from FILE --config regatta.yaml',
      })
    }
    const { showRaces } = await import('../racing.node.ts')
    return await showRaces(call, flags.watch, challenger)
  },
})

/** Reads how many labels lie between two prints. @throws EVERY */
function parseEvery(text: string | undefined): number | undefined {
  if (text === undefined || /^[1-9]\d{0,8}$/.test(text)) return text === undefined ? undefined : Number(text)
  throw new UsageError('EVERY', `Cannot read "${text}" as a number of labels: expected a whole number of 1 or more`, {
    fix: 'For example --every 100',
  })
}
