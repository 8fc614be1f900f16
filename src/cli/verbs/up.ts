import type { UpRecord } from '../../core/up-record.node.ts'
import { EXIT } from '../errors.ts'
import { type Call, verb } from '../verb.ts'

/** `regatta up`: control and the supervisor, in the foreground or detached. */
export const up = verb<{ detach: boolean }>({
  brief: 'Run control, the gateway and the replicas of this project',
  description:
    'Runs until Ctrl-C or `regatta down`, then stops every process it started. Restores the deployment on record.',
  flags: { detach: { kind: 'boolean', brief: 'Run in the background', default: false, withNegated: false } },
  aliases: { d: 'detach' },
  async run(call, flags) {
    const { openWorkplace } = await import('../workplace.node.ts')
    const { ensureUp, runUp } = await import('../up.node.ts')
    const workplace = await openWorkplace(call)
    if (flags.detach) {
      const record = await ensureUp(call, workplace)
      print(call, record, record.started)
      if (!record.started) call.err('it ran already\n')
      return EXIT.done
    }
    await runUp(call, workplace, record => {
      print(call, record, true)
      call.err('running; Ctrl-C stops everything\n')
    })
    return EXIT.done
  },
})

function print(call: Call, { controlUrl, process: { pid } }: UpRecord, started: boolean): void {
  call.out(call.json ? `${JSON.stringify({ schema: 'regatta/up/v1', controlUrl, pid, started })}\n` : `${controlUrl}\n`)
}
