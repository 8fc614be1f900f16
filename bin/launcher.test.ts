import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { CONTROL_NODE_FLAGS } from '../src/core/control-memory.ts'

describe('bin/regatta.js', () => {
  it('starts `up` with the flags of Node that control has everywhere', () => {
    const text = readFileSync(join(import.meta.dirname, 'regatta.js'), 'utf8')
    assert.ok(text.includes(`['${CONTROL_NODE_FLAGS.join("', '")}']`))
  })
})
