import { UsageError } from '../../core/errors.ts'
import { EXIT } from '../errors.ts'
import { toSize } from '../terminal.ts'
import { verb } from '../verb.ts'

const DAY_MS = 86_400_000

/** `regatta prune`: frees what nothing refers to any more. */
export const prune = verb<{ olderThan: string; keep: string; yes: boolean }>({
  brief: 'Free what is old and what nothing refers to',
  description:
    'Deletes single predictions and truths older than the given days, failed runs and their logs as old but the latest of them, ' +
    'unpacked models that nothing runs, and blobs that no image and no run refers to. Images, runs that are done, sums and decisions stay. ' +
    'Without --yes it only says what it would do.',
  flags: {
    olderThan: { kind: 'parsed', parse: String, brief: 'Age in days', placeholder: 'days', default: '30d' },
    keep: {
      kind: 'parsed',
      parse: String,
      brief: 'How many of the latest failed runs to keep, however old',
      placeholder: 'runs',
      default: '5',
    },
    yes: { kind: 'boolean', brief: 'Really do it', default: false, withNegated: false },
  },
  async run(call, flags) {
    const before = call.clock() - parseDays(flags.olderThan) * DAY_MS
    const wish = { before, keep: parseCount(flags.keep), dryRun: !flags.yes }
    const { openWorkplace } = await import('../workplace.node.ts')
    const { pruneProject } = await import('../pruning.node.ts')
    const freed = await pruneProject(call, await openWorkplace(call), wish)
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

/** Reads how many to keep. @throws COUNT */
export function parseCount(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new UsageError('COUNT', `Cannot read "${text}" as a number of runs: expected a whole number, such as 5`)
}
