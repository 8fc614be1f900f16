import type { Cursor } from './json-cursor.ts'
import type { JsonNumberList } from './json-number-list.ts'
import { EXACT_DIGITS, TENS } from './json-parse-number.ts'

/**
 * Reads the numbers at the cursor as long as they are what most tensors hold: few digits, perhaps with a point, no
 * exponent, and a comma right behind. It stops before the first that is written in another way, be it wrong.
 *
 * All in one loop, and no number handed to a function: that takes half the time of reading them one by one.
 */
export function readPlainNumbers(cursor: Cursor, list: JsonNumberList): void {
  const { bytes } = cursor
  const { values } = list
  for (let at = cursor.at; ; cursor.at = at) {
    let code = bytes[at]
    const negative = code === 0x2d
    if (negative) code = bytes[++at]
    const wholeAt = at
    let mantissa = 0
    for (; code !== undefined && code >= 0x30 && code <= 0x39; code = bytes[++at])
      mantissa = mantissa * 10 + code - 0x30
    let digits = at - wholeAt
    if (digits === 0 || (digits > 1 && bytes[wholeAt] === 0x30)) return
    let decimals = 0
    if (code === 0x2e) {
      code = bytes[++at]
      const fractionAt = at
      for (; code !== undefined && code >= 0x30 && code <= 0x39; code = bytes[++at])
        mantissa = mantissa * 10 + code - 0x30
      decimals = at - fractionAt
      digits += decimals
      if (decimals === 0) return
    }
    if (code !== 0x2c || digits > EXACT_DIGITS) return
    at += 1
    while (isSpace(bytes[at])) at += 1
    const value = negative ? -mantissa : mantissa
    if (decimals === 0) list.addInteger(value)
    else {
      list.noteDecimal()
      values.push(value / (TENS[decimals] ?? 1))
    }
  }
}

function isSpace(code: number | undefined): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}
