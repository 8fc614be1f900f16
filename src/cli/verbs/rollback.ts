import { EXIT } from '../errors.ts'
import { toPromotedLines } from '../promoted-view.ts'
import { REASON_FLAG, type ReasonFlag } from '../reason.ts'
import { verb } from '../verb.ts'

/** `regatta rollback`: the standby, or any earlier champion, becomes the champion again. */
export const rollback = verb<ReasonFlag>({
  brief: 'Make a former champion the champion again',
  description:
    'Without a version it is the one that stands by, which answers with the next request. Any other version that was the ' +
    'champion (`regatta history`) starts from the image that it had, and takes over once its replicas are ready.',
  flags: REASON_FLAG,
  args: [{ brief: 'The version (default: the one that stands by)', placeholder: 'version', optional: true }],
  deployment: true,
  async run(call, { reason }, [version]) {
    const { openClient } = await import('../client.node.ts')
    const { rollBack } = await import('../rolling-back.node.ts')
    const { openWorkplace } = await import('../workplace.node.ts')
    await using client = await openClient(call, await openWorkplace(call))
    const promoted = await rollBack(call, client, { version, reason })
    call.out(call.json ? `${JSON.stringify(promoted)}\n` : toPromotedLines(promoted))
    return EXIT.done
  },
})
