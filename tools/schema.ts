/** Writes schema.json, the JSON Schema that editors check regatta.yaml with, from the schema that regatta uses. */
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PROJECT_JSON_SCHEMA } from '../src/config/index.ts'

const path = join(resolve(import.meta.dirname, '..'), 'schema.json')
writeFileSync(path, `${JSON.stringify(PROJECT_JSON_SCHEMA, undefined, 2)}\n`)
