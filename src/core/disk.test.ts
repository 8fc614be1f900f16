import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { toDiskError } from './disk.ts'
import { RegattaError } from './errors.ts'

describe('toDiskError()', () => {
  it('names the path where a device is full', async () => {
    // Every write to this device answers "no space left" (full(4)).
    const full = await writeFile('/dev/full', 'x').catch(error => error)
    const error = toDiskError(full, '/data/file')
    assert.ok(error instanceof RegattaError)
    assert.deepEqual([error.code, error.retryable, error.cause], ['DISK_FULL', true, full])
    assert.match(error.message, /"\/data\/file"/)
  })
  it('takes a quota that is used up for a full disk', () => {
    const error = toDiskError(Object.assign(new Error('over quota'), { code: 'EDQUOT' }), '/data')
    assert.ok(error instanceof RegattaError && error.code === 'DISK_FULL')
  })
  it('leaves every other value as it is', () => {
    for (const error of [Object.assign(new Error('no'), { code: 'EACCES' }), new Error('x'), 'text', undefined]) {
      assert.equal(toDiskError(error, '/data'), error)
    }
  })
})
