import { z } from 'zod'
import { isObject, type JsonObject } from '../core/json.ts'
import { projectSchema } from './schema.ts'

let made: JsonObject | undefined

/** The JSON Schema (draft 2020-12) of regatta.yaml, as editors read it. Made late: a file without mistakes needs none. */
export function toProjectJsonSchema(): JsonObject {
  made ??= z.toJSONSchema(projectSchema, { io: 'input' })
  return made
}

/** The keys that may stand at a path; none where any key may, or where no mapping is. */
export function listKeys(path: readonly PropertyKey[]): readonly string[] {
  return Object.keys(toProperties(path.reduce(toProperty, toProjectJsonSchema())))
}

/** Every key with a single value, as a path. */
export function listScalarKeys(schema: JsonObject = toProjectJsonSchema()): readonly ScalarKey[] {
  return Object.entries(toProperties(schema)).flatMap(([key, inner]) => {
    if (!isObject(inner)) return []
    const type = inner['type']
    if (type === 'string' || type === 'boolean') return [{ path: [key], type }]
    if (type === 'number' || type === 'integer') return [{ path: [key], type: 'number' as const }]
    return listScalarKeys(inner).map(scalar => ({ ...scalar, path: [key, ...scalar.path] }))
  })
}

/** A key of regatta.yaml with a single value. */
export interface ScalarKey {
  readonly path: readonly string[]
  readonly type: 'string' | 'number' | 'boolean'
}

function toProperties(schema: unknown): JsonObject {
  const properties = isObject(schema) ? schema['properties'] : undefined
  return isObject(properties) ? properties : {}
}

function toProperty(schema: unknown, key: PropertyKey): JsonObject {
  const inner = toProperties(schema)[String(key)]
  return isObject(inner) ? inner : {}
}
