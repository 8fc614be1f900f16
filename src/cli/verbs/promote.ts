import { EXIT } from '../errors.ts'
import { toPromotedLines } from '../promoted-view.ts'
import { REASON_FLAG, type ReasonFlag } from '../reason.ts'
import { verb } from '../verb.ts'

/** `regatta promote`: the challenger becomes the champion; the former champion stands by. */
export const promote = verb<ReasonFlag>({
  brief: 'Make the challenger the champion',
  description:
    'The former champion keeps running as standby, so that `regatta rollback` is instant. No request is lost.',
  flags: REASON_FLAG,
  args: [{ brief: 'The variant (default: the only challenger)', placeholder: 'variant', optional: true }],
  deployment: true,
  async run(call, { reason }, [variant]) {
    const { openClient } = await import('../client.node.ts')
    const { openWorkplace } = await import('../workplace.node.ts')
    await using client = await openClient(call, await openWorkplace(call))
    const promoted = await client.promote(variant, reason)
    call.out(call.json ? `${JSON.stringify(promoted)}\n` : toPromotedLines(promoted))
    return EXIT.done
  },
})
