import { isAscii, isUtf8 } from 'node:buffer'
import { type Cursor, fail, JsonParseError } from './json-cursor.ts'
import { type JsonMembers, type JsonNode, type JsonNumber, type JsonNumbers, NO_EXACT } from './json-node.ts'
import { parseNumber } from './json-parse-number.ts'
import { parseString } from './json-parse-string.ts'

/** Depth from which nested lists and objects are refused; ONNX and TensorFlow tensors stay far below. */
export const MAX_JSON_DEPTH = 100

/**
 * Reads a JSON text (RFC 8259) in UTF-8. Beyond it, `NaN`, `Infinity` and `-Infinity` are numbers, as in TensorFlow
 * Serving. A name that stands twice in one object is an error: servers disagree on which of the two counts.
 * @throws TENSOR_JSON (a `JsonParseError`)
 */
export function parseJson(bytes: Uint8Array): JsonNode {
  const cursor: Cursor = { text: decode(bytes), at: 0 }
  if (cursor.text.charCodeAt(0) === 0xfeff) cursor.at = 1
  skipSpace(cursor)
  if (cursor.at === cursor.text.length) fail(cursor, 'The document is empty.')
  const node = parseNode(cursor, 1)
  skipSpace(cursor)
  if (cursor.at < cursor.text.length) fail(cursor, 'The document root must not be followed by other values.')
  return node
}

function decode(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (isAscii(buffer)) return buffer.toString('latin1')
  if (!isUtf8(buffer)) throw new JsonParseError('Invalid encoding in string.', 0)
  return buffer.toString('utf8')
}

function parseNode(cursor: Cursor, depth: number): JsonNode {
  switch (cursor.text.charCodeAt(cursor.at)) {
    case 0x7b:
      return parseObject(cursor, depth)
    case 0x5b:
      return parseList(cursor, depth)
    case 0x22:
      return parseString(cursor)
    case 0x74:
      return parseWord(cursor, 'true', true)
    case 0x66:
      return parseWord(cursor, 'false', false)
    case 0x6e:
      return parseWord(cursor, 'null', null)
    default:
      return parseNumber(cursor)
  }
}

function parseWord<node extends JsonNode>(cursor: Cursor, word: string, node: node): node {
  if (!cursor.text.startsWith(word, cursor.at)) fail(cursor, 'Invalid value.')
  cursor.at += word.length
  return node
}

function parseObject(cursor: Cursor, depth: number): JsonMembers {
  enter(cursor, depth)
  const members = new Map<string, JsonNode>()
  if (endsWith(cursor, '}')) return members
  for (;;) {
    if (cursor.text[cursor.at] !== '"') fail(cursor, 'Missing a name for object member.')
    const nameAt = cursor.at
    const name = parseString(cursor)
    if (members.has(name)) {
      cursor.at = nameAt
      fail(cursor, `Duplicate name "${name}" for object member.`)
    }
    skipSpace(cursor)
    if (cursor.text[cursor.at] !== ':') fail(cursor, 'Missing a colon after a name of object member.')
    cursor.at += 1
    skipSpace(cursor)
    members.set(name, parseNode(cursor, depth + 1))
    skipSpace(cursor)
    if (endsWith(cursor, '}')) return members
    if (cursor.text[cursor.at] !== ',') fail(cursor, 'Missing a comma or } after an object member.')
    cursor.at += 1
    skipSpace(cursor)
  }
}

function parseList(cursor: Cursor, depth: number): JsonNumbers | readonly JsonNode[] {
  enter(cursor, depth)
  if (endsWith(cursor, ']')) return []
  const start = cursor.at
  const numbers = isNumberStart(cursor) ? parseNumbers(cursor) : undefined
  if (numbers !== undefined) return numbers
  // Something else stands among the numbers: the list is read again, node by node.
  cursor.at = start
  const nodes: JsonNode[] = []
  do nodes.push(parseNode(cursor, depth + 1))
  while (nextElement(cursor))
  return nodes
}

/** Reads a list of numbers to its end, or returns undefined at the first element that is none. */
function parseNumbers(cursor: Cursor): JsonNumbers | undefined {
  const values: number[] = []
  let exact: Map<number, bigint> | undefined
  let firstDecimal = -1
  let farthestInteger = -1
  let farthest = -1
  do {
    if (!isNumberStart(cursor)) return undefined
    const number: JsonNumber = parseNumber(cursor)
    if (number.exact !== undefined) {
      exact ??= new Map()
      exact.set(values.length, number.exact)
    }
    if (!number.isInteger) {
      if (firstDecimal === -1) firstDecimal = values.length
    } else if (Math.abs(number.value) > farthest) {
      farthest = Math.abs(number.value)
      farthestInteger = values.length
    }
    values.push(number.value)
  } while (nextElement(cursor))
  return { kind: 'numbers', values, firstDecimal, farthestInteger, exact: exact ?? NO_EXACT }
}

/** Steps over a comma and returns true, or over the closing bracket and returns false. */
function nextElement(cursor: Cursor): boolean {
  skipSpace(cursor)
  if (endsWith(cursor, ']')) return false
  if (cursor.text[cursor.at] !== ',') fail(cursor, 'Missing a comma or ] after an array element.')
  cursor.at += 1
  skipSpace(cursor)
  return true
}

function enter(cursor: Cursor, depth: number): void {
  if (depth > MAX_JSON_DEPTH) fail(cursor, `Nested deeper than ${MAX_JSON_DEPTH} levels.`)
  cursor.at += 1
  skipSpace(cursor)
}

function endsWith(cursor: Cursor, bracket: string): boolean {
  if (cursor.text[cursor.at] !== bracket) return false
  cursor.at += 1
  return true
}

function isNumberStart(cursor: Cursor): boolean {
  const code = cursor.text.charCodeAt(cursor.at)
  return (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x4e || code === 0x49
}

function skipSpace(cursor: Cursor): void {
  const { text } = cursor
  let { at } = cursor
  for (;;) {
    const code = text.charCodeAt(at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break
    at += 1
  }
  cursor.at = at
}
