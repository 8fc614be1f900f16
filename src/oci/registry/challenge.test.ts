import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseChallenge } from './challenge.ts'

const BEARER = { scheme: 'bearer', realm: 'https://auth.io/token', service: 'r.io', scope: 'repository:a:pull,push' }

describe('parseChallenge()', () => {
  for (const [header, wanted] of [
    ['Bearer realm="https://auth.io/token",service="r.io",scope="repository:a:pull,push"', BEARER],
    ['bearer  realm = "https://auth.io/token" , service=r.io, scope="repository:a:pull,push"', BEARER],
    ['Basic realm="r", Bearer realm="https://auth.io/token",service="r.io",scope="repository:a:pull,push"', BEARER],
    ['Bearer realm="a\\"b"', { scheme: 'bearer', realm: 'a"b', service: undefined, scope: undefined }],
    ['Basic realm="r"', { scheme: 'basic' }],
    ['Bearer service="r.io"', undefined],
    ['Digest realm="r"', undefined],
    ['', undefined],
    [undefined, undefined],
  ] as const) {
    it(`reads ${header}`, () => assert.deepEqual(parseChallenge(header), wanted))
  }

  it('never fails, and is quick, whatever it is given', () => {
    fc.assert(fc.property(fc.string({ maxLength: 2000 }), text => void parseChallenge(text)))
    parseChallenge(`Bearer ${'realm="\\'.repeat(100_000)}`)
  })
})
