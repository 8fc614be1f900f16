import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseReference, parseRefName, toReferenceText } from './reference.ts'

const HEX = 'ab'.repeat(32)

const READ = [
  ['node', 'docker.io/library/node'],
  ['team/forecast:1', 'docker.io/team/forecast:1'],
  ['localhost/forecast', 'localhost/forecast'],
  ['localhost:5000/forecast:v1.2', 'localhost:5000/forecast:v1.2'],
  ['registry.example.com/team/forecast', 'registry.example.com/team/forecast'],
  [`r.io/a@sha256:${HEX}`, `r.io/a@sha256:${HEX}`],
  [`r.io/a:1@sha256:${HEX}`, `r.io/a:1@sha256:${HEX}`],
  ['[::1]:5000/a__b/c-d:_x', '[::1]:5000/a__b/c-d:_x'],
] as const

const REFUSED = [
  ['', 'repository'],
  ['r.io/', 'repository is empty'],
  ['r.io/Team/forecast', 'repository is "Team/forecast"'],
  ['r.io/a:', 'tag is empty'],
  ['r.io/a:-1', 'tag is "-1"'],
  [`r.io/a:${'1'.repeat(129)}`, 'tag'],
  ['r.io//a', 'repository is "/a"'],
  ['https://r.io/a', 'registry is "https:"'],
  ['r.io:port/a', 'registry is "r.io:port"'],
  [`r.io/${'a'.repeat(260)}`, 'at most 255'],
  [`r.io/a@sha256:${HEX}@x`, 'at most one @'],
  ['r.io/a@sha256:12', 'digest is "sha256:12"'],
  ['r.io/a@', 'digest is empty'],
  ['r.io/a b', 'repository is "a b"'],
] as const

describe('parseReference()', () => {
  for (const [text, wanted] of READ) {
    it(`reads ${text}`, () => assert.equal(toReferenceText(parseReference(text)), wanted))
  }

  for (const [text, part] of REFUSED) {
    it(`refuses "${text.slice(0, 40)}" and names the part: ${part}`, () => {
      assert.throws(() => parseReference(text), { code: 'REFERENCE', message: new RegExp(RegExp.escape(part)) })
    })
  }

  it('reads back what toReferenceText() writes', () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,8})?$/)
    const tag = fc.option(fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20}$/), { nil: undefined })
    const registry = fc.stringMatching(/^[a-z]{1,9}\.[a-z]{2,3}(:[0-9]{2,5})?$/)
    fc.assert(
      fc.property(registry, fc.array(word, { minLength: 1, maxLength: 4 }), tag, (host, words, name) => {
        const reference = { registry: host, repository: words.join('/'), tag: name, digest: undefined }
        assert.deepEqual(parseReference(toReferenceText(reference)), reference)
      }),
    )
  })
})

describe('parseRefName()', () => {
  for (const text of ['forecast-1', 'v1.2', 'a/b:c@d', 'a--b']) {
    it(`takes ${text}`, () => assert.equal(parseRefName(text), text))
  }
  for (const text of ['', '-a', 'a-', 'a---b', 'a b', 'a//b', 'ü']) {
    it(`refuses "${text}"`, () => assert.throws(() => parseRefName(text), { code: 'REF_NAME' }))
  }
})
