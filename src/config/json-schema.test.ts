import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { isObject } from '../core/json.ts'
import { listKeys, listScalarKeys, toProjectJsonSchema } from './json-schema.ts'

describe('schema.json', () => {
  it('is what `node tools/schema.ts` writes', () => {
    const text = readFileSync(resolve(import.meta.dirname, '../../schema.json'), 'utf8')
    assert.equal(text, `${JSON.stringify(toProjectJsonSchema(), undefined, 2)}\n`)
  })

  it('describes every key', () => {
    const undescribed = (schema: unknown, path: string): string[] => {
      const properties = isObject(schema) && isObject(schema['properties']) ? schema['properties'] : {}
      return Object.entries(properties).flatMap(([key, inner]) => [
        ...(isObject(inner) && typeof inner['description'] === 'string' ? [] : [`${path}${key}`]),
        ...undescribed(inner, `${path}${key}.`),
      ])
    }
    assert.deepEqual(undescribed(toProjectJsonSchema(), ''), [])
  })
})

describe('listKeys()', () => {
  it('lists the keys of a section, and none of a free mapping', () => {
    assert.deepEqual(listKeys(['serve']), ['replicas', 'access', 'cors', 'alerts', 'resources', 'autoscale'])
    assert.deepEqual(listKeys(['train', 'params']), [])
    assert.deepEqual(listKeys(['nowhere', 'at', 'all']), [])
  })
})

describe('listScalarKeys()', () => {
  it('finds the keys with a single value at every depth', () => {
    const keys = listScalarKeys().map(key => key.path.join('.'))
    assert.ok(keys.includes('name') && keys.includes('targets.local.httpPort') && keys.includes('race.truth.by'))
    assert.ok(!keys.includes('train.params') && !keys.includes('train.data') && !keys.includes('serve'))
  })
})
