import { UsageError } from '../../core/errors.ts'

/** How chance came to an answer, as a live race writes it down beside its outcome. */
export interface Draw {
  /** Chance chose the variant, and the client got its answer. */
  readonly drawn: boolean
  /** Probability with which chance chose it, 0–1. */
  readonly propensity: number
  /** Rows of one request were drawn at once. */
  readonly request: string
  /** Whether the variant was the champion of the race; undefined where the file does not say. */
  readonly arm: 'a' | 'b' | undefined
}

type Row = Readonly<Record<string, unknown>>

/** Whether a row is one that `regatta export` wrote: no other has a propensity. */
export function isExported(row: Row): boolean {
  return Object.hasOwn(row, 'propensity')
}

/**
 * Parts a row of `regatta export` into its draw and a row of the form that somebody kept. The loss is left out: it is
 * computed anew from prediction and truth, and capped anew. @throws OUTCOME_ROW
 */
export function parseExported(exported: Row): { readonly kept: Row; readonly draw: Draw } {
  const { row, version, target_at, targetAt, served, pinned, champion, ...rest } = toPresent(exported)
  const { request, propensity, loss, input, output, ...kept } = rest
  const at = target_at ?? targetAt ?? kept['at']
  const draw = parseDraw({ champion, pinned, propensity, request, row, served })
  return { kept: { ...kept, request: `${draw.request}/${String(row)}`, ...(at !== undefined && { at }) }, draw }
}

function parseDraw({ champion, pinned, propensity, request, row, served }: Row): Draw {
  if (typeof request !== 'string' || request === '') fail('request', 'text')
  if (typeof row !== 'number') fail('row', 'a number')
  if (typeof served !== 'boolean') fail('served', 'true or false')
  if (typeof propensity !== 'number' || propensity < 0 || propensity > 1) fail('propensity', 'a number from 0 to 1')
  const arm = champion === undefined ? undefined : champion === true ? 'a' : 'b'
  return { drawn: served && pinned !== true, propensity, request, arm }
}

/** A table has null where there is nothing. */
function toPresent(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null))
}

function fail(key: string, wanted: string): never {
  throw new UsageError('OUTCOME_ROW', `Cannot read ${key} of an exported row: expected ${wanted}`, {
    fix: 'Replay the file as regatta export wrote it',
  })
}
