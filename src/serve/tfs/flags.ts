import { UsageError } from '../../core/errors.ts'
import { findNearest } from '../../core/nearest.ts'
import { type FlagRow, TFS_FLAGS, type TfsFlag } from './flag-table.ts'

type KindOf<flag extends TfsFlag> = (typeof TFS_FLAGS)[flag]['kind']
type ValueOf<kind> = kind extends 'bool' ? boolean : kind extends 'int' | 'float' ? number : string

/** The flags that were given, of those that are honoured. */
export type TfsFlags = { readonly [flag in TfsFlag]?: ValueOf<KindOf<flag>> }

/** What a command line says. */
export interface TfsCommandLine {
  readonly flags: TfsFlags
  /** Flags that were accepted and have no effect, each with the reason. */
  readonly notes: readonly string[]
}

/**
 * Reads a command line of `tensorflow_model_server`: `--flag=value`, and for truth values `--flag` alone. Beyond what
 * TensorFlow Serving reads (tsl/util/command_line_flags.cc), the value may be the next word, and `--noflag` is false; what
 * it would leave aside is refused. @throws USAGE (a `UsageError`)
 */
export function parseTfsFlags(parameters: readonly string[]): TfsCommandLine {
  const flags: Record<string, unknown> = {}
  const notes: string[] = []
  for (let at = 0; at < parameters.length; at += 1) {
    const word = parameters[at] ?? ''
    const [name, given] = splitFlag(word)
    const row: FlagRow = TFS_FLAGS[name]
    const next = given === undefined && row.kind !== 'bool' ? parameters[++at] : undefined
    const text = given ?? next ?? (row.kind === 'bool' ? 'true' : undefined)
    if (text === undefined) throw toUsageError(`Cannot read --${name}: expected a value after it`)
    const value = parseValue(name, row, text)
    if (row.use === 'honoured') flags[name] = value
    else if (row.use === 'noted') notes.push(`--${name} has no effect: ${row.about}`)
    else if (String(value) !== row.usual) throw toUsageError(`Cannot use --${name}: ${row.about}`, row.fix)
  }
  return { flags: flags as TfsFlags, notes }
}

/** The flags with what they do, for `--help`. */
export function toTfsUsage(): string {
  const lines = Object.entries(TFS_FLAGS).map(([name, { kind, use, about }]) => {
    const effect = { honoured: '', noted: 'no effect: ', refused: 'refused: ' }[use]
    return `  ${`--${name}=${kind}`.padEnd(52)} ${effect}${about}`
  })
  return `usage: tensorflow_model_server\nFlags:\n${lines.join('\n')}\n`
}

function splitFlag(word: string): readonly [name: TfsFlag, value: string | undefined] {
  const match = /^--?([^=]+)(?:=([\s\S]*))?$/.exec(word)
  const name = match?.[1] ?? ''
  if (match === null) throw toUsageError(`Cannot read "${word}": expected a flag, as --flag=value`)
  if (isFlag(name)) return [name, match[2]]
  const positive = name.replace(/^no/, '')
  if (positive !== name && match[2] === undefined && isFlag(positive) && TFS_FLAGS[positive].kind === 'bool')
    return [positive, 'false']
  const near = findNearest(name, Object.keys(TFS_FLAGS))
  const fix = near === undefined ? 'See --help' : `Did you mean --${near}?`
  throw toUsageError(`Cannot find a flag --${name}`, fix)
}

function isFlag(name: string): name is TfsFlag {
  return Object.hasOwn(TFS_FLAGS, name)
}

function parseValue(name: TfsFlag, { kind }: FlagRow, text: string): string | number | boolean {
  switch (kind) {
    case 'text':
      return text
    case 'bool':
      if (/^true$/i.test(text)) return true
      if (/^false$/i.test(text)) return false
      throw toWanted(name, text, 'true or false')
    case 'int':
      if (/^[+-]?\d{1,15}$/.test(text)) return Number(text)
      throw toWanted(name, text, 'a whole number')
    case 'float':
      if (text.trim() !== '' && Number.isFinite(Number(text))) return Number(text)
      throw toWanted(name, text, 'a number')
    default:
      return kind satisfies never
  }
}

function toWanted(name: TfsFlag, text: string, wanted: string): UsageError {
  return toUsageError(`Cannot use "${text}" as --${name}: expected ${wanted}`)
}

function toUsageError(what: string, fix?: string): UsageError {
  return new UsageError('USAGE', what, fix === undefined ? {} : { fix })
}
