import { parsePredictionRecord } from '../core/wire/records.ts'

/** The text of a `RecordBatch` whose records are JSON already. */
export function toBatchText(gateway: string, dropped: number, lines: readonly string[]): string {
  const schema = 'regatta/records/v1'
  return `{"schema":"${schema}","gateway":${JSON.stringify(gateway)},"dropped":${dropped},"records":[${lines.join(',')}]}`
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
