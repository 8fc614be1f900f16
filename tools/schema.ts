/** Writes schema.json, the JSON Schema that editors check regatta.yaml with, from the schema that regatta uses. */
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { toProjectJsonSchema } from '../src/config/index.ts'

const path = join(resolve(import.meta.dirname, '..'), 'schema.json')
writeFileSync(path, `${JSON.stringify(toProjectJsonSchema(), undefined, 2)}\n`)
