import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LineSplitter } from './lines.ts'

function split(...chunks: readonly Uint8Array[]): string[] {
  const splitter = new LineSplitter()
  return [...chunks.flatMap(chunk => splitter.push(chunk)), ...splitter.end()]
}

const toBytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('LineSplitter', () => {
  const table = [
    ['three ends', 'a\nb\r\nc\rd', ['a', 'b', 'c', 'd']],
    ['empty lines', '\n\na\n', ['', '', 'a']],
    ['no end', 'abc', ['abc']],
    ['nothing', '', []],
  ] as const
  for (const [name, text, wanted] of table) {
    it(`splits ${name}`, () => assert.deepEqual(split(toBytes(text)), wanted))
  }

  it('gives the same lines however the bytes are cut', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '𝄞', '\n', '\r', '\r\n'), maxLength: 40 })
    fc.assert(
      fc.property(text, fc.array(fc.nat(120), { maxLength: 5 }), (text, cuts) => {
        const bytes = toBytes(text)
        const places = [0, ...cuts.map(cut => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end))
        assert.deepEqual(split(...chunks), split(bytes))
      }),
    )
  })

  it('cuts a line that does not end into pieces of 64 Ki characters', () => {
    const chunk = toBytes('x'.repeat(50_000))
    const lines = split(chunk, chunk, chunk)
    assert.deepEqual(
      lines.map(line => line.length),
      [65_536, 65_536, 18_928],
    )
  })
})
