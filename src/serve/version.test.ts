import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { SERVER_VERSION } from './version.ts'

it('SERVER_VERSION is that of package.json', () => {
  const path = join(import.meta.dirname, '..', '..', 'package.json')
  assert.equal(SERVER_VERSION, JSON.parse(readFileSync(path, 'utf8')).version)
})
