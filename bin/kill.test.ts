import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { killControls } from './testing/killing.ts'

describe('a control that is killed with -9 while it takes records and truths', () => {
  it('leaves every acknowledged truth to the next, once', async () => {
    assert.ok((await killControls(undefined, 3)) > 10)
  })
})
