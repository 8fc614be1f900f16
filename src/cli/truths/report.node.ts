import { resolve } from 'node:path'
import { openClient } from '../client.node.ts'
import { toLiveLine } from '../progress.ts'
import type { Call } from '../verb.ts'
import { openWorkplace } from '../workplace.node.ts'
import { parseColumns } from './columns.ts'
import { readTruths, toFormat } from './read.node.ts'
import { withRetries } from './retry.node.ts'
import { sendTruths, type TruthProblem, type TruthTotals } from './send.ts'

/** What `regatta truth` is told. */
export interface ReportFlags {
  readonly format: string | undefined
  readonly columns: string | undefined
  readonly onError: 'stop' | 'skip'
}

/** Problems that are shown one by one. */
const MAX_SHOWN = 20
/** Without a terminal, a line of progress every so many rows. */
const MILESTONE_ROWS = 100_000

/** Reports the truths of a file, or of stdin, to the running control. @throws see `readTruths` and `sendTruths` */
export async function reportTruths(call: Call, file: string, flags: ReportFlags): Promise<TruthTotals> {
  const source = {
    path: file === '-' ? undefined : resolve(call.cwd, file),
    format: toFormat(file, flags.format),
    columns: flags.columns === undefined ? undefined : parseColumns(flags.columns),
  }
  const workplace = await openWorkplace(call)
  const progress = toProgress(call)
  let client = await openClient(call, workplace)
  const send = (batch: readonly unknown[], signal: AbortSignal) =>
    withRetries(
      () => client.truth(batch),
      async ({ message }, pauseMs) => {
        progress.note(`${message}; trying again in ${Math.ceil(pauseMs / 1000)} s`)
        // A control that was started again may listen elsewhere.
        const next = await openClient(call, workplace).catch(() => client)
        if (next !== client) await client[Symbol.asyncDispose]()
        client = next
      },
      signal,
    )
  try {
    const { onProblem, onProgress } = progress
    return await sendTruths(readTruths(source), { send, onError: flags.onError, onProblem, onProgress }, call.signal)
  } catch (error) {
    progress.tellEnd()
    throw error
  } finally {
    progress.clear()
    await client[Symbol.asyncDispose]()
  }
}

function toProgress(call: Call) {
  const line = toLiveLine(call)
  const startedAt = call.clock()
  let totals: TruthTotals | undefined
  let shown = 0
  let milestone = MILESTONE_ROWS
  const toText = ({ rows, refused }: TruthTotals): string => {
    const perSecond = Math.round((rows * 1000) / Math.max(1, call.clock() - startedAt))
    const wrong = refused === 0 ? '' : `, ${refused} wrong`
    return `${rows} rows sent${wrong} (${perSecond} a second)`
  }
  return {
    onProgress(now: TruthTotals): void {
      totals = now
      line.show(toText(now))
      if (call.terminal !== undefined || now.rows < milestone) return
      while (milestone <= now.rows) milestone += MILESTONE_ROWS
      line.milestone(toText(now))
    },
    onProblem({ place, message }: TruthProblem): void {
      shown += 1
      if (shown <= MAX_SHOWN) line.milestone(`left out ${place}: ${message}`)
      if (shown === MAX_SHOWN) line.milestone('further rows are counted alone')
    },
    note: line.milestone,
    /** Says how far it came: the rest can be sent later. */
    tellEnd(): void {
      if (totals !== undefined && totals.rows > 0) {
        line.milestone(`${totals.rows} rows were sent; send the file again, they count once`)
      }
    },
    clear: line.clear,
  }
}
