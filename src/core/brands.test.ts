import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseDigest, parseVariantName } from './brands.ts'

const HEX = 'ab'.repeat(32)

describe('parseVariantName()', () => {
  for (const name of ['a', 'wide-net', 'b2', 'a--b', `a${'x'.repeat(39)}`]) {
    it(`takes "${name}"`, () => assert.equal(parseVariantName(name), name))
  }
  for (const name of ['', 'A', '1a', '-a', 'a-', 'a_b', 'a b', 'ä', 'a\n', `a${'x'.repeat(40)}`]) {
    it(`refuses ${JSON.stringify(name)}`, () =>
      assert.throws(() => parseVariantName(name), { code: 'VARIANT_NAME', fix: /./ }))
  }
  it('takes only what a Kubernetes name may be (RFC 1123, a label)', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'z', '0', '-', '_', 'A', '.') }), text => {
        try {
          assert.match(parseVariantName(text), /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
        } catch (error) {
          assert.equal(error instanceof Error && 'code' in error && error.code, 'VARIANT_NAME')
        }
      }),
    )
  })
})

describe('parseDigest()', () => {
  it('takes sha256 and 64 lower-case hex digits', () => {
    assert.equal(parseDigest(`sha256:${HEX}`), `sha256:${HEX}`)
  })
  const WRONG = [HEX, `sha512:${HEX}`, `sha256:${HEX.slice(1)}`, `sha256:${HEX}a`, `sha256:${HEX.toUpperCase()}`]
  for (const text of [...WRONG, '', 'sha256:', ` sha256:${HEX}`, `sha256:${HEX}\n`]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseDigest(text), { code: 'DIGEST' }))
  }
})
