import { UsageError } from '../../core/errors.ts'
import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'

const MAX_CHANGES = 1000

/** `regatta history`: who changed the deployment, when, how and why. */
export const history = verb<{ last: string }>({
  brief: 'Show who changed the deployment, when and why',
  description:
    'The newest change is the first. Who asked for one is who ran the command, by their own word; what control did by ' +
    'itself has the words of the race. `regatta rollback VERSION` leads back to any version that was the champion.',
  flags: {
    last: { kind: 'parsed', parse: String, brief: 'How many changes, at most', placeholder: 'count', default: '20' },
  },
  deployment: true,
  async run(call, { last }) {
    const limit = /^\d{1,4}$/.test(last) ? Number(last) : 0
    if (limit < 1 || limit > MAX_CHANGES) {
      throw new UsageError('HISTORY_LAST', `Cannot read --last "${last}": expected a number from 1 to ${MAX_CHANGES}`, {
        fix: 'For example --last 50',
      })
    }
    const { openClient } = await import('../client.node.ts')
    const { toHistoryLines } = await import('../history-view.ts')
    const { openWorkplace } = await import('../workplace.node.ts')
    await using client = await openClient(call, await openWorkplace(call))
    const document = await client.history(limit)
    call.out(call.json ? `${JSON.stringify(document)}\n` : toHistoryLines(document.changes))
    return EXIT.done
  },
})
