import type { ParamValue } from '../config/index.ts'
import { UsageError } from '../core/errors.ts'
import { findNearest } from '../core/nearest.ts'

/** Parameters of a run by name. */
export type Params = Readonly<Record<string, ParamValue>>

/**
 * Replaces values of regatta.yaml's parameters. A value keeps the type it has there; text is read as that type.
 * @throws PARAM_UNKNOWN, PARAM_VALUE (UsageErrors)
 */
export function overrideParams(params: Params, set: Params): Params {
  const overrides = Object.entries(set).map(([name, value]) => {
    const usual = Object.hasOwn(params, name) ? params[name] : undefined
    if (usual === undefined) throw unknownParam(name, Object.keys(params))
    return [name, toSameType(name, usual, value)] as const
  })
  return { ...params, ...Object.fromEntries(overrides) }
}

function toSameType(name: string, usual: ParamValue, value: ParamValue): ParamValue {
  if (typeof usual === 'string') return String(value)
  if (typeof usual === typeof value && (typeof value !== 'number' || Number.isFinite(value))) return value
  const text = String(value).trim()
  if (typeof usual === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  if (typeof usual === 'number' && text !== '' && Number.isFinite(Number(text))) return Number(text)
  const wanted = typeof usual === 'number' ? 'a finite number' : 'true or false'
  throw new UsageError(
    'PARAM_VALUE',
    `Cannot set "${name}": expected ${wanted} as in regatta.yaml, found ${JSON.stringify(value)}`,
    { fix: `Set for example ${name}=${usual}` },
  )
}

function unknownParam(name: string, known: readonly string[]): UsageError {
  const nearest = findNearest(name, known)
  const hint = known.length === 0 ? 'train.params has none' : `expected one of ${known.join(', ')}`
  return new UsageError('PARAM_UNKNOWN', `Cannot set "${name}": ${hint}`, {
    fix: nearest === undefined ? `Add "${name}" to train.params of regatta.yaml` : `Did you mean "${nearest}"?`,
  })
}
