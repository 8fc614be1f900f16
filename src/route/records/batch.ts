import { parsePredictionRecord, type RecordBatch } from '../../core/wire/records.ts'

/** What a `RecordBatch` says beside its records. */
export type BatchHead = Pick<RecordBatch, 'gateway' | 'dropped' | 'epoch'>

/** The text of a `RecordBatch` whose records are JSON already. */
export function toBatchText(head: BatchHead, lines: readonly string[]): string {
  const text = JSON.stringify({ schema: 'regatta/records/v1' satisfies RecordBatch['schema'], ...head })
  return `${text.slice(0, -1)},"records":[${lines.join(',')}]}`
}

/** Splits lines into batches of at most `maxChars`, or of one line that is longer. */
export function toBatches(lines: readonly string[], maxChars: number): readonly (readonly string[])[] {
  const batches: string[][] = []
  let chars = Number.POSITIVE_INFINITY
  for (const line of lines) {
    chars += line.length
    if (chars > maxChars) {
      batches.push([])
      chars = line.length
    }
    batches.at(-1)?.push(line)
  }
  return batches
}

/** The lines that are records: a file that a killed process left may hold others, and one would spoil its batch. */
export function toCheckedLines(lines: readonly string[]): readonly string[] {
  return lines.filter(line => {
    try {
      parsePredictionRecord(JSON.parse(line))
      return true
    } catch {
      // Counted by the caller as dropped.
      return false
    }
  })
}
