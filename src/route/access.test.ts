import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toAccess } from './access.ts'

const PAGE = 'https://app.example'

describe('toAccess()', () => {
  const guarded = toAccess({ tokens: ['one', 'two'], origins: [] })
  const table: readonly [string, string | undefined, boolean][] = [
    ['the first token', 'Bearer one', true],
    ['the second token', 'bearer two', true],
    ['another token', 'Bearer three', false],
    ['the beginning of a token', 'Bearer on', false],
    ['no token', 'Bearer ', false],
    ['another scheme', 'Basic one', false],
    ['no header', undefined, false],
  ]
  for (const [name, authorization, wanted] of table)
    it(`${wanted ? 'takes' : 'refuses'} ${name}`, () => assert.equal(guarded.mayPredict({ authorization }), wanted))

  it('lets everybody in where there are no tokens', () => {
    const open = toAccess({ tokens: [], origins: [] })
    assert.deepEqual([open.isGuarded, open.mayPredict({})], [false, true])
  })

  it('tells the page of a known origin that it may read, and no other', () => {
    const access = toAccess({ tokens: [], origins: [PAGE] })
    const cors = access.toCorsHeaders({ origin: PAGE })
    // A cache must not give one page the answer to another.
    assert.deepEqual([cors?.['access-control-allow-origin'], cors?.['vary']], [PAGE, 'origin'])
    assert.match(cors?.['access-control-expose-headers'] ?? '', /x-regatta-prediction, x-regatta-variant, /)
    assert.equal(access.toCorsHeaders({ origin: 'https://other.example' }), undefined)
    assert.equal(access.toCorsHeaders({}), undefined)
    assert.equal(
      toAccess({ tokens: [], origins: ['*'] }).toCorsHeaders({ origin: PAGE })?.['access-control-allow-origin'],
      PAGE,
    )
  })

  it('answers what a browser asks in advance, and leaves other OPTIONS alone', () => {
    const access = toAccess({ tokens: ['one'], origins: [PAGE] })
    const asked = { origin: PAGE, 'access-control-request-method': 'POST' }
    const answer = access.toPreflight({ method: 'OPTIONS', headers: asked })
    assert.equal(answer?.status, 200)
    assert.match(answer?.headers['access-control-allow-headers'] ?? '', /authorization, .*x-regatta-entity/)
    assert.equal(access.toPreflight({ method: 'OPTIONS', headers: { origin: PAGE } }), undefined)
    assert.equal(access.toPreflight({ method: 'POST', headers: asked }), undefined)
    assert.equal(access.toPreflight({ method: 'OPTIONS', headers: { ...asked, origin: 'https://x' } }), undefined)
  })
})
