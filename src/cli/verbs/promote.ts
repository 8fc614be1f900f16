import { EXIT } from '../errors.ts'
import { toPromotedLines } from '../promoted-view.ts'
import { verb } from '../verb.ts'

/** `regatta promote`: the challenger becomes the champion; the former champion stands by. */
export const promote = verb<Record<never, never>>({
  brief: 'Make the challenger the champion',
  description:
    'The former champion keeps running as standby, so that `regatta rollback` is instant. No request is lost.',
  flags: {},
  args: [{ brief: 'The variant (default: the only challenger)', placeholder: 'variant', optional: true }],
  deployment: true,
  async run(call, _flags, [variant]) {
    const { openClient } = await import('../client.node.ts')
    const { openWorkplace } = await import('../workplace.node.ts')
    await using client = await openClient(call, await openWorkplace(call))
    const promoted = await client.promote(variant)
    call.out(call.json ? `${JSON.stringify(promoted)}\n` : toPromotedLines(promoted))
    return EXIT.done
  },
})
