import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { readJsonItems } from './json-items.ts'

async function read(text: string, chunkChars = 1000): Promise<readonly string[]> {
  async function* chunks(): AsyncGenerator<string> {
    for (let at = 0; at < text.length; at += chunkChars) yield text.slice(at, at + chunkChars)
  }
  return await Array.fromAsync(readJsonItems(chunks()))
}

describe('readJsonItems()', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['the items of an array', '[{"a":1},{"b":[2,3]}]', ['{"a":1}', '{"b":[2,3]}']],
    ['an empty array', ' [ ] \n', []],
    ['nothing', '', []],
    ['brackets and quotes in texts', '[{"a":"]},\\"["}]', ['{"a":"]},\\"["}']],
    ['one object over many lines', '{\n "a": {"b": 1}\n}\n', ['{\n "a": {"b": 1}\n}']],
    ['objects one after the other', '{"a":1}\n{"b":2}', ['{"a":1}', '\n{"b":2}']],
    ['what is no JSON as an item of its own', '[{"v":NaN},{"v":1}]', ['{"v":NaN}', '{"v":1}']],
    ['an item that is missing', '[1,,2,]', ['1', '', '2', '']],
    ['a byte order mark', '\uFEFF[1]', ['1']],
  ]
  for (const [name, text, wanted] of cases) {
    it(`cuts ${name}`, async () => assert.deepEqual(await read(text), wanted))
  }

  it('cuts any JSON alike, whatever the chunks are', async () => {
    const items = fc.array(fc.record({ value: fc.jsonValue(), text: fc.string() }), { maxLength: 5 })
    const property = fc.asyncProperty(items, fc.integer({ min: 1, max: 20 }), async (items, chunkChars) => {
      const texts = await read(JSON.stringify(items), chunkChars)
      assert.deepEqual(
        texts.map(text => JSON.parse(text)),
        JSON.parse(JSON.stringify(items)),
      )
    })
    await fc.assert(property, { numRuns: 200 })
  })

  const broken: readonly (readonly [string, string, RegExp])[] = [
    ['an array that does not end', '[{"a":1},{"b":2}', /item 2: expected an array that ends/],
    ['an object that does not end', '{"a":1}{"b"', /item 2: expected an object that ends/],
    ['text after the array', '[1] 2', /expected nothing after the array/],
    ['another bracket at the end', '[1}', /ends with \]/],
    ['an item too long for the memory', `["${'x'.repeat(1024 * 1024)}`, /item 1: expected at most/],
  ]
  for (const [name, text, message] of broken) {
    it(`refuses ${name}`, async () => await assert.rejects(read(text), { code: 'TRUTH_JSON', message }))
  }
})
