import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseTruths } from './truths.ts'

const ID = '01920000-0000-7000-8000-000000000001'
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const parse = (body: unknown, type?: string, task: 'regression' | 'classification' = 'classification') =>
  parseTruths(bytes(typeof body === 'string' ? body : JSON.stringify(body)), type, task)

describe('parseTruths()', () => {
  const wanted = [
    { by: 'prediction', id: { request: ID, row: 2 }, value: 1.5, revision: 0, source: undefined },
    { by: 'series', series: 's', at: 1769817600000, value: [0.1, 0.9], revision: 3, source: 'audit' },
  ]
  const items = [
    { prediction: `${ID}/2`, value: 1.5 },
    { series: 's', at: '2026-01-31', value: [0.1, 0.9], revision: 3, source: 'audit' },
  ]
  const lines = items.map(item => JSON.stringify(item)).join('\n')

  it('reads an array', () => assert.deepEqual(parse(items), wanted))
  it('reads a single object', () => assert.deepEqual(parse(items[0]), wanted.slice(0, 1)))
  it('reads NDJSON by its content type', () =>
    assert.deepEqual(parse(`${lines}\n\n`, 'application/x-ndjson; charset=utf-8'), wanted))
  it('reads NDJSON by its shape', () => assert.deepEqual(parse(lines, 'application/json'), wanted))
  it('reads one line of NDJSON', () =>
    assert.deepEqual(parse(JSON.stringify(items[0]), 'application/x-ndjson'), wanted.slice(0, 1)))
  it('reads epoch ms, labels and booleans', () => {
    const read = parse([
      { series: 's', at: 5, value: 'spam' },
      { series: 's', at: 6, value: true },
    ])
    assert.deepEqual(
      read.map(truth => truth.value),
      ['spam', true],
    )
  })

  it('reads a list for a request as one truth for each row, and for a row as its value', () => {
    const read = parse([
      { prediction: ID, value: [1, [2, 3]] },
      { prediction: `${ID}/0`, value: [4, 5] },
    ])
    const rows = read.map(truth => (truth.by === 'prediction' ? [truth.id.row, truth.value] : []))
    assert.deepEqual(rows, [
      [0, 1],
      [1, [2, 3]],
      [0, [4, 5]],
    ])
  })

  const good = { prediction: ID, value: 1 }
  const rows: [name: string, body: unknown, message: RegExp][] = [
    ['no JSON', 'hello', /expected JSON or NDJSON/],
    ['broken JSON of many lines', '[{"value":1},\n{]', /expected JSON or NDJSON/],
    ['an empty list', [], /expected 1 to 50000 items, found 0/],
    ['a number', 5, /truth 0: expected an object, found 5/],
    ['an unknown key', [good, { ...good, label: 1 }], /field "label" of truth 1/],
    ['no value', [good, { prediction: ID }], /field "value" of truth 1: expected a finite number.*found nothing/],
    ['a null value', [{ prediction: ID, value: null }], /field "value" of truth 0/],
    ['an endless number', `[{"prediction":"${ID}","value":1e999}]`, /field "value" of truth 0/],
    ['an array with text', [{ prediction: `${ID}/0`, value: [1, 'x'] }], /field "value" of truth 0/],
    ['an empty array', [{ prediction: ID, value: [] }], /field "value" of truth 0/],
    ['a broken id', [good, good, { prediction: 'x', value: 1 }], /field "prediction" of truth 2: .*"x"/],
    ['a broken time', [{ series: 's', at: '2026-02-31', value: 1 }], /field "at" of truth 0: .*2026-02-31/],
    ['a time without a series', [{ at: 1, value: 1 }], /truth 0: expected prediction, or series and at/],
    ['both subjects', [{ ...good, series: 's', at: 1 }], /truth 0: expected either prediction/],
    ['an empty series', [{ series: '', at: 1, value: 1 }], /field "series" of truth 0/],
    ['a negative revision', [{ ...good, revision: -1 }], /field "revision" of truth 0/],
    ['a revision in part', [{ ...good, revision: 1.5 }], /field "revision" of truth 0/],
    ['a source that is no text', [{ ...good, source: 5 }], /field "source" of truth 0/],
    ['too many', Array.from({ length: 50_001 }, () => good), /found 50001/],
  ]
  for (const [name, body, message] of rows) {
    it(`refuses ${name}`, () => assert.throws(() => parse(body), { code: 'TRUTH', message }))
  }

  it('names the line of broken NDJSON', () => {
    assert.throws(() => parse(`${JSON.stringify(good)}\n{"x`, 'application/x-ndjson'), {
      message: /line 2 of the truths/,
    })
  })

  it('names the line whose truth is not a number, and takes labels in a classification alone', () => {
    const lines = [good, { ...good, value: 'spam' }].map(item => JSON.stringify(item)).join('\n')
    const refused = { code: 'TRUTH', message: /field "value" of line 2: expected a finite number or .*found "spam"/ }
    assert.throws(() => parse(lines, 'application/x-ndjson', 'regression'), refused)
    assert.throws(() => parse([{ ...good, value: true }], undefined, 'regression'), { message: /found true/ })
    assert.equal(parse(lines, 'application/x-ndjson').length, 2)
  })

  it('refuses bytes that are no text', () => {
    assert.throws(() => parseTruths(new Uint8Array([0xff, 0xfe]), undefined, 'value'), { message: /UTF-8/ })
  })
})
