import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readTruths, type TruthPart } from './truths.ts'

const ID = '01920000-0000-7000-8000-000000000001'
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

interface Reading {
  readonly type?: string
  readonly task?: 'regression' | 'classification'
  readonly skip?: boolean
}

async function readParts(body: unknown, { type, task = 'classification', skip = false }: Reading = {}) {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield body instanceof Uint8Array ? body : bytes(typeof body === 'string' ? body : JSON.stringify(body))
  }
  return await Array.fromAsync(readTruths({ contentType: type, chunks: chunks() }, { task, skip }))
}
const parse = async (body: unknown, type?: string, task?: 'regression' | 'classification') =>
  (await readParts(body, { ...(type && { type }), ...(task && { task }) })).flatMap(({ truths }: TruthPart) => truths)

describe('readTruths()', () => {
  const wanted = [
    { by: 'prediction', id: { request: ID, row: 2 }, value: 1.5, revision: 0, source: undefined },
    { by: 'series', series: 's', at: 1769817600000, value: [0.1, 0.9], revision: 3, source: 'audit' },
  ]
  const items = [
    { prediction: `${ID}/2`, value: 1.5 },
    { series: 's', at: '2026-01-31', value: [0.1, 0.9], revision: 3, source: 'audit' },
  ]
  const lines = items.map(item => JSON.stringify(item)).join('\n')

  it('reads an array', async () => assert.deepEqual(await parse(items), wanted))
  it('reads a single object', async () => assert.deepEqual(await parse(items[0]), wanted.slice(0, 1)))
  it('reads NDJSON by its content type', async () =>
    assert.deepEqual(await parse(`${lines}\n\n`, 'application/x-ndjson; charset=utf-8'), wanted))
  it('reads NDJSON by its shape', async () => assert.deepEqual(await parse(lines, 'application/json'), wanted))
  it('reads one line of NDJSON', async () =>
    assert.deepEqual(await parse(JSON.stringify(items[0]), 'application/x-ndjson'), wanted.slice(0, 1)))
  it('reads epoch ms, labels and booleans', async () => {
    const read = await parse([
      { series: 's', at: 5, value: 'spam' },
      { series: 's', at: 6, value: true },
    ])
    assert.deepEqual(
      read.map(truth => truth.value),
      ['spam', true],
    )
  })

  it('reads a list for a request as one truth for each row, and for a row as its value', async () => {
    const read = await parse([
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
    it(`refuses ${name}`, async () => assert.rejects(parse(body), { code: 'TRUTH', message }))
  }

  it('names the line of broken NDJSON', async () => {
    await assert.rejects(parse(`${JSON.stringify(good)}\n{"x`, 'application/x-ndjson'), {
      message: /line 2 of the truths/,
    })
  })

  it('names the line whose truth is not a number, and takes labels in a classification alone', async () => {
    const lines = [good, { ...good, value: 'spam' }].map(item => JSON.stringify(item)).join('\n')
    const refused = { code: 'TRUTH', message: /field "value" of line 2: expected a finite number or .*found "spam"/ }
    await assert.rejects(parse(lines, 'application/x-ndjson', 'regression'), refused)
    await assert.rejects(parse([{ ...good, value: true }], undefined, 'regression'), { message: /found true/ })
    assert.equal((await parse(lines, 'application/x-ndjson')).length, 2)
  })

  it('refuses bytes that are no text', async () => {
    await assert.rejects(parse(new Uint8Array([0xff, 0xfe])), { code: 'TRUTH', message: /UTF-8/ })
  })

  it('refuses NaN and Infinity, which are no JSON', async () => {
    for (const value of ['NaN', 'Infinity', '-Infinity', '1e999']) {
      const text = `{"prediction":"${ID}","value":${value}}`
      await assert.rejects(parse(text, 'application/x-ndjson'), { code: 'TRUTH', message: /line 1/ })
      await assert.rejects(parse(`[${text}]`), { code: 'TRUTH' })
    }
  })

  it('reads long NDJSON in parts, and gives those before a line that is wrong', async () => {
    const lines = Array.from({ length: 2500 }, () => JSON.stringify(good))
    const type = 'application/x-ndjson'
    const parts = await readParts(lines.join('\n'), { type })
    assert.deepEqual(
      parts.map(({ truths }) => truths.length),
      [1000, 1000, 500],
    )
    const seen: number[] = []
    const broken = async () => {
      async function* chunks(): AsyncGenerator<Uint8Array> {
        yield bytes([...lines, '{}'].join('\n'))
      }
      const reading = { task: 'regression', skip: false } as const
      for await (const part of readTruths({ contentType: type, chunks: chunks() }, reading))
        seen.push(part.truths.length)
    }
    await assert.rejects(broken(), { code: 'TRUTH', message: /line 2501/ })
    assert.deepEqual(seen, [1000, 1000])
  })

  it('leaves out what is wrong and says what, where that is asked for', async () => {
    const body = [good, { ...good, value: null }, good, 5]
    const [part] = await readParts(body, { skip: true })
    assert.equal(part?.truths.length, 2)
    assert.deepEqual(
      part?.problems.map(({ place }) => place),
      ['truth 1', 'truth 3'],
    )
    const lines = `${JSON.stringify(good)}\n{"value":NaN}\n`
    const [streamed] = await readParts(lines, { skip: true, type: 'application/x-ndjson' })
    assert.equal(streamed?.truths.length, 1)
    assert.match(streamed?.problems[0]?.message ?? '', /line 2/)
  })
})
