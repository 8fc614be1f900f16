import { EXIT } from '../errors.ts'
import { toStatusLines } from '../status-view.ts'
import { verb } from '../verb.ts'

/** `regatta status`: what runs, and why something does not. */
export const status = verb<{ watch: boolean }>({
  brief: 'Show the deployment: variants, replicas, and why one is not ready',
  flags: {
    watch: { kind: 'boolean', brief: 'Print again whenever something changes', default: false, withNegated: false },
  },
  deployment: true,
  async run(call, flags) {
    const { openClient } = await import('../client.node.ts')
    const { openWorkplace } = await import('../workplace.node.ts')
    const { pause } = await import('../pause.node.ts')
    await using client = await openClient(call, await openWorkplace(call))
    let shown = ''
    do {
      const now = await client.status()
      const text = call.json ? `${JSON.stringify(now)}\n` : toStatusLines(now, call.colours)
      if (text !== shown) call.out(text)
      shown = text
    } while (flags.watch && (await pause(500, call.signal)))
    return EXIT.done
  },
})
