import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { it } from 'node:test'
import { toPages } from './pages.ts'

const folder = resolve(import.meta.dirname, '..', 'docs')

it('docs holds every page that is made from the code, current, and no page of a verb that went (npm run docs)', () => {
  const pages = toPages()
  const verbs = readdirSync(join(folder, 'verbs')).map(name => `verbs/${name}`)
  assert.deepEqual(verbs.sort(), pages.flatMap(({ path }) => (path.startsWith('verbs/') ? [path] : [])).sort())
  for (const { path, text } of pages) assert.equal(readFileSync(join(folder, path), 'utf8'), text, path)
})
