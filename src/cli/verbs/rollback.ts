import { EXIT } from '../errors.ts'
import { toPromotedLines } from '../promoted-view.ts'
import { verb } from '../verb.ts'

/** `regatta rollback`: the standby becomes the champion again. */
export const rollback = verb<Record<never, never>>({
  brief: 'Make the former champion the champion again',
  flags: {},
  deployment: true,
  async run(call) {
    const { openClient } = await import('../client.node.ts')
    const { openWorkplace } = await import('../workplace.node.ts')
    await using client = await openClient(call, await openWorkplace(call))
    const promoted = await client.rollback()
    call.out(call.json ? `${JSON.stringify(promoted)}\n` : toPromotedLines(promoted))
    return EXIT.done
  },
})
