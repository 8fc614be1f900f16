import { type Cursor, fail } from './json-cursor.ts'
import type { JsonNumberList } from './json-number-list.ts'

/** Digits that a double holds exactly, whatever they are. */
export const EXACT_DIGITS = 15
/** Powers of ten that a double holds exactly. */
export const TENS: readonly number[] = Array.from({ length: 23 }, (_, power) => 10 ** power)
/** The farthest integers of 64 bits. */
const MIN_INT64 = -(2n ** 63n)
const MAX_UINT64 = 2n ** 64n - 1n
/** Of their texts, with the sign; longer ones are numbers like 1e30. */
const MAX_INT64_LENGTH = 20

/**
 * Reads a number at the cursor and adds it to a list. Up to 15 digits and 22 decimals it is one exact division, which is
 * correctly rounded (Clinger 1990, "How to read floating point numbers accurately"); else `Number` reads it.
 */
export function readNumber(cursor: Cursor, list: JsonNumberList): void {
  const { latin1, at: start } = cursor
  let at = start
  const negative = latin1.charCodeAt(at) === 0x2d
  if (negative) at += 1
  let code = latin1.charCodeAt(at)
  if (!isDigit(code)) {
    list.addDecimal(readWord(cursor, negative))
    return
  }
  let mantissa = 0
  const wholeAt = at
  for (; isDigit(code); code = latin1.charCodeAt(++at)) mantissa = mantissa * 10 + code - 0x30
  let digits = at - wholeAt
  if (digits > 1 && latin1.charCodeAt(wholeAt) === 0x30) stopAt(cursor, wholeAt + 1, 'Invalid value.')
  let decimals = 0
  if (code === 0x2e) {
    const fractionAt = at + 1
    code = latin1.charCodeAt(++at)
    for (; isDigit(code); code = latin1.charCodeAt(++at)) mantissa = mantissa * 10 + code - 0x30
    decimals = at - fractionAt
    digits += decimals
    if (decimals === 0) stopAt(cursor, at, 'Miss fraction part in number.')
  }
  const hasExponent = code === 0x65 || code === 0x45
  cursor.at = hasExponent ? skipExponent(cursor, at) : at
  const value = negative ? -mantissa : mantissa
  if (hasExponent || digits > EXACT_DIGITS) addLong(cursor, start, decimals === 0 && !hasExponent, list)
  else if (decimals === 0) list.addInteger(value)
  else list.addDecimal(value / (TENS[decimals] ?? 1))
}

/** Adds the number between an offset and the cursor, which is too long to be computed here. */
function addLong(cursor: Cursor, start: number, isInteger: boolean, list: JsonNumberList): void {
  const text = cursor.latin1.slice(start, cursor.at)
  const value = Number(text)
  if (!Number.isFinite(value)) stopAt(cursor, start, 'Number too big to be stored in double.')
  const exact = isInteger && text.length <= MAX_INT64_LENGTH ? BigInt(text) : undefined
  if (isInteger && Number.isSafeInteger(value)) list.addInteger(value)
  else if (exact !== undefined && exact >= MIN_INT64 && exact <= MAX_UINT64) list.addInteger(value, exact)
  else list.addDecimal(value)
}

function skipExponent(cursor: Cursor, exponentAt: number): number {
  const { latin1 } = cursor
  let at = exponentAt + 1
  const sign = latin1.charCodeAt(at)
  if (sign === 0x2b || sign === 0x2d) at += 1
  if (!isDigit(latin1.charCodeAt(at))) stopAt(cursor, at, 'Miss exponent in number.')
  while (isDigit(latin1.charCodeAt(at))) at += 1
  return at
}

/** The bare words for numbers that JSON lacks. */
function readWord(cursor: Cursor, negative: boolean): number {
  const at = cursor.at + (negative ? 1 : 0)
  for (const [word, value] of WORDS) {
    if (!cursor.latin1.startsWith(word, at)) continue
    cursor.at = at + word.length
    return negative ? -value : value
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
