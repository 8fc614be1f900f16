import { type Cursor, fail } from './json-cursor.ts'
import type { JsonNumber } from './json-node.ts'

/** Digits that a double holds exactly, whatever they are. */
const EXACT_DIGITS = 15
/** Powers of ten that a double holds exactly. */
const TENS = Array.from({ length: 23 }, (_, power) => 10 ** power)
/** The farthest integers of 64 bits. */
const MIN_INT64 = -(2n ** 63n)
const MAX_UINT64 = 2n ** 64n - 1n

/**
 * Reads a number at the cursor. Up to 15 digits and 22 decimals it is one exact division, which is correctly rounded
 * (Clinger 1990, "How to read floating point numbers accurately"); else `Number` reads it.
 */
export function parseNumber(cursor: Cursor): JsonNumber {
  const { text } = cursor
  const start = cursor.at
  let at = start
  const negative = text.charCodeAt(at) === 0x2d
  if (negative) at += 1
  let code = text.charCodeAt(at)
  if (!isDigit(code)) return parseWord(cursor, negative)
  let digits = 0
  let mantissa = 0
  const wholeAt = at
  for (; isDigit(code); code = text.charCodeAt(++at)) {
    mantissa = mantissa * 10 + code - 0x30
    digits += 1
  }
  if (digits > 1 && text.charCodeAt(wholeAt) === 0x30) return stopAt(cursor, wholeAt + 1, 'Invalid value.')
  let decimals = 0
  if (code === 0x2e) {
    code = text.charCodeAt(++at)
    if (!isDigit(code)) return stopAt(cursor, at, 'Miss fraction part in number.')
    for (; isDigit(code); code = text.charCodeAt(++at)) {
      mantissa = mantissa * 10 + code - 0x30
      decimals += 1
    }
  }
  const plainEnd = at
  if (code === 0x65 || code === 0x45) at = skipExponent(cursor, at)
  cursor.at = at
  const hasExponent = at !== plainEnd
  if (decimals === 0 && !hasExponent) return toInteger(text.slice(start, at), digits, negative ? -mantissa : mantissa)
  if (!hasExponent && digits + decimals <= EXACT_DIGITS) {
    return toDecimal((negative ? -mantissa : mantissa) / (TENS[decimals] ?? 1))
  }
  const value = Number(text.slice(start, at))
  if (!Number.isFinite(value)) return stopAt(cursor, start, 'Number too big to be stored in double.')
  return toDecimal(value)
}

function toInteger(text: string, digits: number, value: number): JsonNumber {
  if (digits <= EXACT_DIGITS) return { kind: 'number', value, isInteger: true, exact: undefined }
  const near = Number(text)
  if (Number.isSafeInteger(near)) return { kind: 'number', value: near, isInteger: true, exact: undefined }
  // 20 digits hold every 64-bit integer; longer ones are numbers like 1e30.
  const exact = digits > 20 ? undefined : BigInt(text)
  return exact !== undefined && exact >= MIN_INT64 && exact <= MAX_UINT64
    ? { kind: 'number', value: near, isInteger: true, exact }
    : toDecimal(near)
}

function toDecimal(value: number): JsonNumber {
  return { kind: 'number', value, isInteger: false, exact: undefined }
}

function skipExponent(cursor: Cursor, exponentAt: number): number {
  const { text } = cursor
  let at = exponentAt + 1
  const sign = text.charCodeAt(at)
  if (sign === 0x2b || sign === 0x2d) at += 1
  if (!isDigit(text.charCodeAt(at))) return stopAt(cursor, at, 'Miss exponent in number.')
  while (isDigit(text.charCodeAt(at))) at += 1
  return at
}

/** The bare words for numbers that JSON lacks. */
function parseWord(cursor: Cursor, negative: boolean): JsonNumber {
  const at = cursor.at + (negative ? 1 : 0)
  for (const [word, value] of WORDS) {
    if (!cursor.text.startsWith(word, at)) continue
    cursor.at = at + word.length
    return toDecimal(negative ? -value : value)
  }
  return fail(cursor, 'Invalid value.')
}

const WORDS = [
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['Inf', Number.POSITIVE_INFINITY],
] as const

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function stopAt(cursor: Cursor, at: number, reason: string): never {
  cursor.at = at
  return fail(cursor, reason)
}
