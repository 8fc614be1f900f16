import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseTraceparent, toChildContext, toTraceparent } from './trace-context.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

describe('parseTraceparent()', () => {
  it('reads what toTraceparent() writes', () => {
    for (const isSampled of [true, false]) {
      const context = { traceId: TRACE, spanId: SPAN, isSampled }
      assert.deepEqual(parseTraceparent(toTraceparent(context)), context)
    }
  })

  it('reads the sampled flag among others, and later versions', () => {
    assert.equal(parseTraceparent(`00-${TRACE}-${SPAN}-03`)?.isSampled, true)
    assert.equal(parseTraceparent(`00-${TRACE}-${SPAN}-02`)?.isSampled, false)
    assert.equal(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-comes`)?.traceId, TRACE)
  })

  const wrong = [
    undefined,
    '',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01 `,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    `cc-${TRACE}-${SPAN}-01.more`,
  ]
  for (const header of wrong) {
    it(`takes "${header}" as none`, () => assert.equal(parseTraceparent(header), undefined))
  }
})

describe('toChildContext()', () => {
  it('stays in the trace of its parent, as it is sampled', () => {
    const child = toChildContext({ traceId: TRACE, spanId: SPAN, isSampled: false }, length =>
      new Uint8Array(length).fill(9),
    )
    assert.deepEqual(child, { traceId: TRACE, spanId: '0909090909090909', isSampled: false })
  })

  it('begins a trace, whose ids are never zero', () => {
    const root = toChildContext({ isSampled: true }, length => new Uint8Array(length))
    assert.deepEqual(parseTraceparent(toTraceparent(root)), root)
  })
})
