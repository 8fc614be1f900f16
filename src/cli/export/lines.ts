import type { OutcomeJson } from '../../control/index.ts'

/** Forms that outcomes are written in. */
export const EXPORT_FORMATS = ['ndjson', 'csv', 'parquet'] as const

/** A form that outcomes are written in. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** The columns of a table of outcomes, in order, and what each holds. */
export const COLUMNS = [
  { name: 'request', of: outcome => outcome.request },
  { name: 'row', of: outcome => outcome.row },
  { name: 'variant', of: outcome => outcome.variant },
  { name: 'version', of: outcome => outcome.version },
  { name: 'at', of: outcome => outcome.at },
  { name: 'series', of: outcome => outcome.series },
  { name: 'target_at', of: outcome => outcome.targetAt },
  { name: 'prediction', of: outcome => outcome.prediction },
  { name: 'truth', of: outcome => outcome.truth },
  { name: 'loss', of: outcome => outcome.loss },
  { name: 'served', of: outcome => outcome.served },
  { name: 'propensity', of: outcome => outcome.propensity },
  { name: 'epoch', of: outcome => outcome.epoch },
  { name: 'input', of: outcome => outcome.input },
  { name: 'output', of: outcome => outcome.output },
  { name: 'entity', of: outcome => outcome.entity },
  { name: 'covariate', of: outcome => outcome.covariate },
  { name: 'pinned', of: outcome => outcome.pinned },
  { name: 'champion', of: outcome => outcome.champion },
] as const satisfies readonly { readonly name: string; readonly of: (outcome: OutcomeJson) => unknown }[]

/** Writes an outcome as a line of NDJSON, with the names of the table's columns. */
export function toJsonLine(outcome: OutcomeJson): string {
  return `${JSON.stringify(Object.fromEntries(COLUMNS.map(({ name, of }) => [name, of(outcome)])))}\n`
}

/** The first line of a CSV file. */
export const CSV_HEADING = `${COLUMNS.map(({ name }) => name).join(',')}\n`

/** Writes an outcome as a line of CSV: no value is an empty cell, a list is JSON. Source: RFC 4180. */
export function toCsvLine(outcome: OutcomeJson): string {
  return `${COLUMNS.map(({ of }) => toCell(of(outcome))).join(',')}\n`
}

function toCell(value: unknown): string {
  const text = value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
