import { UsageError } from '../../core/errors.ts'
import { EXIT } from '../errors.ts'
import { toSize } from '../terminal.ts'
import { verb } from '../verb.ts'

const DAY_MS = 86_400_000

/** `regatta prune`: frees what nothing refers to any more. */
export const prune = verb<{ olderThan: string; yes: boolean }>({
  brief: 'Free what is old and what nothing refers to',
  description:
    'Deletes single predictions and truths, failed runs and logs older than the given days, unpacked models that nothing runs, and ' +
    'blobs that no image and no run refers to. Images, runs that are done, sums and decisions stay. Without --yes it only says what it would do.',
  flags: {
    olderThan: { kind: 'parsed', parse: String, brief: 'Age in days', placeholder: 'days', default: '30d' },
    yes: { kind: 'boolean', brief: 'Really do it', default: false, withNegated: false },
  },
  async run(call, flags) {
    const before = call.clock() - parseDays(flags.olderThan) * DAY_MS
    const { openWorkplace } = await import('../workplace.node.ts')
    const { pruneProject } = await import('../pruning.node.ts')
    const freed = await pruneProject(call, await openWorkplace(call), before, flags.yes)
    if (call.json) call.out(`${JSON.stringify({ schema: 'regatta/prune/v1', done: flags.yes, ...freed })}\n`)
    else {
      call.out(
        `${flags.yes ? 'freed' : 'would free'} ${freed.rows} rows, ${freed.runs.length} runs, ${freed.models.length} unpacked models, ${freed.blobs.length} blobs, ${toSize(freed.bytes)}\n`,
      )
      if (!flags.yes) call.err('nothing was deleted; --yes does it\n')
    }
    return EXIT.done
  },
})

/** Reads an age such as `30d` or `30`, in days. @throws AGE */
export function parseDays(text: string): number {
  const match = /^(\d{1,5})d?$/.exec(text)
  if (match === null)
    throw new UsageError('AGE', `Cannot read "${text}" as an age: expected days`, {
      fix: 'For example --older-than 30d',
    })
  return Number(match[1])
}
