import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { JsonParseError } from './json-cursor.ts'
import { isMembers, isNumber, isNumbers, type JsonNode } from './json-node.ts'
import { MAX_JSON_DEPTH, parseJson } from './json-parse.ts'
import { toFloatText } from './number-text.ts'

const parse = (text: string): JsonNode => parseJson(Buffer.from(text))

/** A node as `JSON.parse` would give it. */
function toPlain(node: JsonNode): unknown {
  if (node === null || typeof node !== 'object') return node
  if (isNumber(node)) return node.value
  if (isNumbers(node)) return [...node.values]
  if (isMembers(node)) return Object.fromEntries([...node].map(([name, inner]) => [name, toPlain(inner)]))
  return node.map(toPlain)
}

describe('parseJson()', () => {
  it('reads what JSON.parse reads, as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), text => {
        assert.deepEqual(toPlain(parse(text)), JSON.parse(text))
      }),
      { numRuns: 500 },
    )
  })

  it('reads every double back from its shortest text', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), value => {
        const node = parse(`[${toFloatText(value)}]`)
        assert.ok(isNumbers(node))
        assert.equal(node.values[0], value)
      }),
      { numRuns: 2000 },
    )
  })

  it('reads long lists as JSON.parse reads them, however they are written', () => {
    const written = fc.constantFrom(',', ', ', ' , ', ',\n  ', ',\t')
    const number = fc.oneof(
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer({ min: -1e7, max: 1e7 }).map(value => value / 1e6),
    )
    fc.assert(
      fc.property(fc.array(number.map(toFloatText), { minLength: 1, maxLength: 50 }), written, (texts, comma) => {
        const text = `[${texts.join(comma)}]`
        const node = parse(text)
        assert.ok(isNumbers(node))
        assert.deepEqual(node.values, JSON.parse(text))
        assert.equal(
          node.firstDecimal,
          texts.findIndex(number => /[.e]/.test(number)),
        )
      }),
      { numRuns: 1000 },
    )
  })

  it('keeps integers exact among long decimals', () => {
    const node = parse('[0.12345678901234567, 12345678901234567890, 3]')
    assert.ok(isNumbers(node))
    assert.deepEqual([...node.exact], [[1, 12345678901234567890n]])
    assert.equal(node.farthestInteger, 1)
  })

  it('refuses an integer that no double holds', () => {
    assert.throws(() => parse(`[1,${'9'.repeat(400)}]`), {
      reason: 'Number too big to be stored in double.',
      offset: 3,
    })
  })

  it('keeps integers beyond 2^53 exact', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), value => {
        const node = parse(`${value}`)
        assert.ok(isNumber(node) && node.isInteger)
        assert.equal(node.exact ?? BigInt(node.value), value)
      }),
    )
  })

  it('tells integers from numbers with a fraction or an exponent', () => {
    for (const [text, isInteger] of [
      ['1', true],
      ['1.0', false],
      ['1e2', false],
      ['-7', true],
      ['18446744073709551616', false],
    ] as const) {
      const node = parse(text)
      assert.ok(isNumber(node))
      assert.equal(node.isInteger, isInteger, text)
    }
  })

  it('takes NaN and infinities', () => {
    assert.deepEqual(toPlain(parse('[NaN,-Infinity,Infinity,1]')), [Number.NaN, -Infinity, Infinity, 1])
  })

  it('reads a list of numbers with something else among them', () => {
    assert.deepEqual(toPlain(parse('[1, 2.5, "x", [3]]')), [1, 2.5, 'x', [3]])
  })

  it('survives 10 MB of nesting', () => {
    assert.throws(() => parse('['.repeat(10_000_000)), {
      reason: `Nested deeper than ${MAX_JSON_DEPTH} levels.`,
      offset: MAX_JSON_DEPTH,
    })
    assert.doesNotThrow(() => parse(`${'['.repeat(MAX_JSON_DEPTH)}${']'.repeat(MAX_JSON_DEPTH)}`))
  })

  it('refuses bytes that are not UTF-8', () => {
    assert.throws(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22)), { reason: 'Invalid encoding in string.' })
  })

  const wrong: readonly [text: string, reason: string, offset: number][] = [
    ['', 'The document is empty.', 0],
    [' \n', 'The document is empty.', 2],
    ['{', 'Missing a name for object member.', 1],
    ['{"a"}', 'Missing a colon after a name of object member.', 4],
    ['{"a":1,}', 'Missing a name for object member.', 7],
    ['{"a":1 "b":2}', 'Missing a comma or } after an object member.', 7],
    ['{"a":1,"a":2}', 'Duplicate name "a" for object member.', 7],
    ['[1,2', 'Missing a comma or ] after an array element.', 4],
    ['[1,]', 'Invalid value.', 3],
    ['[1,2,]', 'Invalid value.', 5],
    ['[1,02,3]', 'Invalid value.', 4],
    ['[1.5,2.,3]', 'Miss fraction part in number.', 7],
    ['[1,-,3]', 'Invalid value.', 3],
    ['[1 2]', 'Missing a comma or ] after an array element.', 3],
    ['tru', 'Invalid value.', 0],
    ['"é', 'Missing a closing quotation mark in string.', 0],
    ['["é", x]', 'Invalid value.', 7],
    ['["é", 1.5, x]', 'Invalid value.', 12],
    ['"\\x"', 'Invalid escape character in string.', 1],
    ['"\\u12g4"', 'Incorrect hex digit after \\u escape in string.', 1],
    ['"\\ud800"', 'The surrogate pair in string is invalid.', 1],
    ['"a\u0001"', 'Invalid encoding in string.', 2],
    ['1.', 'Miss fraction part in number.', 2],
    ['1e', 'Miss exponent in number.', 2],
    ['01', 'Invalid value.', 1],
    ['1e999', 'Number too big to be stored in double.', 0],
    ['[0.12345678901234567,1e999]', 'Number too big to be stored in double.', 21],
    ['[0.12345678901234567,01]', 'Invalid value.', 22],
    ['-', 'Invalid value.', 0],
    ['{} {}', 'The document root must not be followed by other values.', 3],
  ]
  for (const [text, reason, offset] of wrong) {
    it(`refuses ${JSON.stringify(text)} at ${offset}`, () => {
      assert.throws(
        () => parse(text),
        error => {
          assert.ok(error instanceof JsonParseError)
          assert.deepEqual({ reason: error.reason, offset: error.offset }, { reason, offset })
          return true
        },
      )
    })
  }
})
