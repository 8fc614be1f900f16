import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { it } from 'node:test'
import { toVerbPages } from '../src/cli/index.ts'

const folder = resolve(import.meta.dirname, '..', 'docs', 'verbs')

it('docs/verbs holds a current page for each verb, and no other (npm run docs writes them)', () => {
  const pages = toVerbPages()
  assert.deepEqual(readdirSync(folder).sort(), pages.map(({ name }) => `${name}.md`).sort())
  for (const { name, text } of pages) assert.equal(readFileSync(join(folder, `${name}.md`), 'utf8'), text, name)
})
