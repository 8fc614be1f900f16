import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readLines, toTexts } from './lines.ts'

async function* chunksOf<item>(...items: readonly item[]): AsyncGenerator<item> {
  yield* items
}

describe('readLines()', () => {
  it('cuts lines wherever the chunks end', async () => {
    const lines = await Array.fromAsync(readLines(chunksOf('a\nb', 'c\n', '\nd')))
    assert.deepEqual(
      lines.map(({ number, text }) => [number, text]),
      [
        [1, 'a'],
        [2, 'bc'],
        [3, ''],
        [4, 'd'],
      ],
    )
  })
  it('yields nothing after the last line break', async () => {
    assert.equal((await Array.fromAsync(readLines(chunksOf('a\n')))).length, 1)
  })
  it('refuses a line that does not end, by its number', async () => {
    const endless = chunksOf('a\n', 'x'.repeat(1024 * 1024), 'y')
    await assert.rejects(Array.fromAsync(readLines(endless)), { code: 'LINE', message: /line 2/ })
  })
})

describe('toTexts()', () => {
  it('decodes characters that chunks cut', async () => {
    const bytes = new TextEncoder().encode('é€')
    const texts = await Array.fromAsync(
      toTexts(chunksOf(bytes.subarray(0, 1), bytes.subarray(1, 4), bytes.subarray(4))),
    )
    assert.equal(texts.join(''), 'é€')
  })
  it('refuses bytes that are no UTF-8, and a character that is cut off', async () => {
    for (const bytes of [
      [0xff, 0xfe],
      [0xe2, 0x82],
    ]) {
      await assert.rejects(Array.fromAsync(toTexts(chunksOf(new Uint8Array(bytes)))), { code: 'UTF8' })
    }
  })
})
