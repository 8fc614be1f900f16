import { RegattaError } from '../errors.ts'
import { isObject, type JsonObject } from '../json.ts'

/**
 * Looks at the values of one kind of document: each check returns the value as its type or throws a
 * `RegattaError` with that kind's code. `path` names the place, such as `variants[0].weight`.
 */
export interface Checks {
  /** An object that has no keys but `keys`. */
  object(value: unknown, path: string, keys: readonly string[]): JsonObject
  array(value: unknown, path: string): readonly unknown[]
  string(value: unknown, path: string): string
  boolean(value: unknown, path: string): boolean
  /** A finite number within `[min, max]`. */
  number(value: unknown, path: string, min?: number, max?: number): number
  /** An integer that a double holds exactly, not below `min`. */
  integer(value: unknown, path: string, min?: number): number
  oneOf<const value extends string>(value: unknown, path: string, values: readonly value[]): value
  /** Throws the error of a value that is not as wanted. */
  fail(path: string, wanted: string, found: unknown): never
}

/** Makes the checks of documents whose errors carry `code`; `document` names them, such as `routes`. */
export function toChecks(code: string, document: string): Checks {
  const fail = (path: string, wanted: string, found: unknown): never => {
    throw new RegattaError(code, `Cannot read ${document}: expected ${path} to be ${wanted}, found ${toShort(found)}`)
  }
  return {
    fail,
    object(value, path, keys) {
      if (!isObject(value)) return fail(path, 'an object', value)
      const unknown = Object.keys(value).find(key => !keys.includes(key))
      return unknown === undefined ? value : fail(path, `an object of ${keys.join(', ')}`, unknown)
    },
    array: (value, path) => (Array.isArray(value) ? value : fail(path, 'an array', value)),
    string: (value, path) => (typeof value === 'string' ? value : fail(path, 'a string', value)),
    boolean: (value, path) => (typeof value === 'boolean' ? value : fail(path, 'true or false', value)),
    number(value, path, min = -Infinity, max = Infinity) {
      const fits = typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max
      return fits ? value : fail(path, `a number within [${min}, ${max}]`, value)
    },
    integer(value, path, min = Number.MIN_SAFE_INTEGER) {
      const fits = typeof value === 'number' && Number.isSafeInteger(value) && value >= min
      return fits ? value : fail(path, `an integer of at least ${min}`, value)
    },
    oneOf(value, path, values) {
      return values.find(item => item === value) ?? fail(path, `one of ${values.join(', ')}`, value)
    },
  }
}

function toShort(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`
}
