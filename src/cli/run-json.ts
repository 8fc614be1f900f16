import type { RunRecord, StoredRun } from '../train/index.ts'

/** A run as `--json` shows it: its record without the whole series, with the last value of each metric. */
export function toRunJson(run: StoredRun): Readonly<Record<string, unknown>> {
  const { logTail, metrics, schema: _schema, ...record } = run.record
  return {
    schema: 'regatta/run-summary/v1',
    ...record,
    digest: run.digest,
    durationMs: run.record.endedAt - run.record.startedAt,
    metrics: toLastMetrics(run.record),
    logTail,
  }
}

/** The last value of each metric. */
export function toLastMetrics(record: RunRecord): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(record.metrics).flatMap(([name, points]) => {
      const last = points.at(-1)
      return last === undefined ? [] : [[name, last.value]]
    }),
  )
}
