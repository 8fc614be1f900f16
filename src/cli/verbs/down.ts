import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'

/** `regatta down`: stops what `up` runs, also after a crash. */
export const down = verb<Record<never, never>>({
  brief: 'Stop control, the gateway and the replicas',
  description: 'The deployment stays on record: the next `regatta up` restores it. `regatta delete` forgets it.',
  flags: {},
  async run(call) {
    const { openWorkplace } = await import('../workplace.node.ts')
    const { stopUp } = await import('../up.node.ts')
    const stopped = await stopUp(call, await openWorkplace(call))
    if (call.json) call.out(`${JSON.stringify({ schema: 'regatta/down/v1', stopped })}\n`)
    else call.out(stopped.length === 0 ? 'nothing ran\n' : `${stopped.join('\n')}\n`)
    return EXIT.done
  },
})
