import { type Cursor, codeAt, fail, sliceText } from './json-cursor.ts'

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** Reads a string whose opening quote is at the cursor. */
export function parseString(cursor: Cursor): string {
  const openAt = cursor.at
  cursor.at += 1
  let from = cursor.at
  let whole = ''
  for (;;) {
    const code = codeAt(cursor)
    if (code === 0x22) {
      whole += sliceText(cursor, from, cursor.at)
      cursor.at += 1
      return whole
    }
    if (code === 0x5c) {
      whole += sliceText(cursor, from, cursor.at) + parseEscape(cursor)
      from = cursor.at
    } else if (code >= 0x20) {
      cursor.at += 1
    } else if (cursor.at >= cursor.latin1.length) {
      cursor.at = openAt
      fail(cursor, 'Missing a closing quotation mark in string.')
    } else {
      fail(cursor, 'Invalid encoding in string.')
    }
  }
}

function parseEscape(cursor: Cursor): string {
  const letter = cursor.latin1[cursor.at + 1] ?? ''
  if (letter === 'u') return parseUnicode(cursor)
  const plain = ESCAPES[letter]
  if (plain === undefined) return fail(cursor, 'Invalid escape character in string.')
  cursor.at += 2
  return plain
}

/** Reads `\uXXXX`, and the second half of a surrogate pair with its first. */
function parseUnicode(cursor: Cursor): string {
  const escapeAt = cursor.at
  const first = parseHex(cursor)
  if (first < 0xd800 || first > 0xdfff) return String.fromCharCode(first)
  if (first < 0xdc00 && cursor.latin1.startsWith('\\u', cursor.at)) {
    const second = parseHex(cursor)
    if (second >= 0xdc00 && second <= 0xdfff) return String.fromCharCode(first, second)
  }
  cursor.at = escapeAt
  return fail(cursor, 'The surrogate pair in string is invalid.')
}

function parseHex(cursor: Cursor): number {
  const hex = cursor.latin1.slice(cursor.at + 2, cursor.at + 6)
  if (!/^[0-9a-fA-F]{4}$/.test(hex)) fail(cursor, 'Incorrect hex digit after \\u escape in string.')
  cursor.at += 6
  return Number.parseInt(hex, 16)
}
