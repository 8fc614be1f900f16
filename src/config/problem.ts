import { UsageError } from '../core/errors.ts'

/** The name of the project's file. */
export const PROJECT_FILE = 'regatta.yaml'

/** One thing to correct. */
export interface Problem {
  /** A place in the file, counted from 1, or the environment variable that holds the value. */
  readonly place: Place | { readonly variable: string }
  /** The key, such as `serve.replicas`; '' for the file as a whole. */
  readonly key: string
  readonly text: string
}

/** A place in a text, both counted from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

const MAX_LISTED = 20
const MAX_SHOWN = 60

/** One error for all problems, those of the file in the order of its lines. */
export function toConfigError(problems: readonly Problem[]): UsageError {
  const lines = [...new Set(problems.toSorted(byPlace).map(toLine))]
  const listed = lines.slice(0, MAX_LISTED)
  const more = lines.length > MAX_LISTED ? [`and ${lines.length - MAX_LISTED} more`] : []
  const count = lines.length === 1 ? '1 problem' : `${lines.length} problems`
  const message = [`Cannot use ${PROJECT_FILE}: ${count}`, ...[...listed, ...more].map(line => `  ${line}`)].join('\n')
  return new UsageError('CONFIG', message, { fix: 'Correct what is listed, and run the command again' })
}

function toLine({ place, key, text }: Problem): string {
  if ('variable' in place) return `${place.variable}: ${text}`
  const where = `${PROJECT_FILE}:${place.line}:${place.column}`
  return key === '' ? `${where}: ${text}` : `${where} ${key}: ${text}`
}

function byPlace({ place: a }: Problem, { place: b }: Problem): number {
  if ('variable' in a) return 'variable' in b ? 0 : 1
  if ('variable' in b) return -1
  return a.line - b.line || a.column - b.column
}

/** A value as an error shows it: short, and never a whole list or mapping. */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value !== 'string') return String(value)
  return JSON.stringify(value.length <= MAX_SHOWN ? value : `${value.slice(0, MAX_SHOWN)}…`)
}
