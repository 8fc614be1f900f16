import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toAccess } from './access.ts'

describe('toAccess()', () => {
  const access = toAccess('s3cret')
  const rows: readonly [header: string | undefined, challenge: string | undefined][] = [
    ['Bearer s3cret', undefined],
    ['bearer  s3cret ', undefined],
    [undefined, 'Bearer realm="regatta"'],
    ['', 'Bearer realm="regatta"'],
    ['Basic s3cret', 'Bearer realm="regatta"'],
    ['s3cret', 'Bearer realm="regatta"'],
    ['Bearer ', 'Bearer realm="regatta"'],
    ['Bearer s3cre', 'Bearer realm="regatta", error="invalid_token"'],
    ['Bearer s3cretx', 'Bearer realm="regatta", error="invalid_token"'],
    ['Bearer S3CRET', 'Bearer realm="regatta", error="invalid_token"'],
  ]
  for (const [header, challenge] of rows) {
    it(`${challenge === undefined ? 'lets in' : 'refuses'} ${JSON.stringify(header)}`, () => {
      const refusal = access(header)
      assert.equal(refusal?.headers['www-authenticate'], challenge)
      assert.doesNotMatch(refusal?.message ?? '', /s3cre/i)
    })
  }

  it('lets everybody in where there is no token', () => {
    assert.equal(toAccess(undefined)(undefined), undefined)
  })
})
