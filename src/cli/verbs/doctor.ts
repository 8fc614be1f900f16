import { EXIT } from '../errors.ts'
import { paint, toTable } from '../terminal.ts'
import { verb } from '../verb.ts'

const COLOURS = { ok: 'green', note: 'yellow', bad: 'red' } as const

/** `regatta doctor`: whether this machine and this project can do the story, and what to do where not. */
export const doctor = verb<Record<never, never>>({
  brief: 'Check this machine and this project',
  description: 'Exits with 1 where something will not work.',
  flags: {},
  async run(call) {
    const { examine } = await import('../examine.node.ts')
    const findings = await examine(call)
    if (call.json) call.out(`${JSON.stringify({ schema: 'regatta/doctor/v1', findings })}\n`)
    else {
      const rows = findings.map(({ detail, fix, name, state }) => [
        paint(call.colours, COLOURS[state], state),
        name,
        fix === undefined ? detail : `${detail}; try: ${fix}`,
      ])
      call.out(toTable(['', 'CHECK', 'FOUND'], rows))
    }
    return findings.some(({ state }) => state === 'bad') ? EXIT.failed : EXIT.done
  },
})
