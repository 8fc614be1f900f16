import { type Cursor, codeAt, fail, openCursor } from './json-cursor.ts'
import { parseNumbersNatively } from './json-native-numbers.ts'
import type { JsonMembers, JsonNode, JsonNumber, JsonNumbers } from './json-node.ts'
import { JsonNumberList } from './json-number-list.ts'
import { readNumber } from './json-parse-number.ts'
import { parseString } from './json-parse-string.ts'
import { readPlainNumbers } from './json-plain-numbers.ts'

/** Depth from which nested lists and objects are refused; ONNX and TensorFlow tensors stay far below. */
export const MAX_JSON_DEPTH = 100

/** Longer numbers are not computed here, but by the runtime: doubles, and a float32 that was written as a double. */
const MAX_PLAIN_LENGTH = 17

/**
 * Reads a JSON text (RFC 8259) in UTF-8. Beyond it, `NaN`, `Infinity` and `-Infinity` are numbers, as in TensorFlow
 * Serving. A name that stands twice in one object is an error: servers disagree on which of the two counts.
 * @throws TENSOR_JSON (a `JsonParseError`)
 */
export function parseJson(bytes: Uint8Array): JsonNode {
  const cursor = openCursor(bytes)
  skipSpace(cursor)
  if (cursor.at === cursor.latin1.length) fail(cursor, 'The document is empty.')
  const node = parseNode(cursor, 1)
  skipSpace(cursor)
  if (cursor.at < cursor.latin1.length) fail(cursor, 'The document root must not be followed by other values.')
  return node
}

function parseNode(cursor: Cursor, depth: number): JsonNode {
  switch (codeAt(cursor)) {
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
  if (!cursor.latin1.startsWith(word, cursor.at)) fail(cursor, 'Invalid value.')
  cursor.at += word.length
  return node
}

function parseObject(cursor: Cursor, depth: number): JsonMembers {
  enter(cursor, depth)
  const members = new Map<string, JsonNode>()
  if (endsWith(cursor, 0x7d)) return members
  for (;;) {
    if (codeAt(cursor) !== 0x22) fail(cursor, 'Missing a name for object member.')
    const nameAt = cursor.at
    const name = parseString(cursor)
    if (members.has(name)) {
      cursor.at = nameAt
      fail(cursor, `Duplicate name "${name}" for object member.`)
    }
    skipSpace(cursor)
    if (codeAt(cursor) !== 0x3a) fail(cursor, 'Missing a colon after a name of object member.')
    cursor.at += 1
    skipSpace(cursor)
    members.set(name, parseNode(cursor, depth + 1))
    skipSpace(cursor)
    if (endsWith(cursor, 0x7d)) return members
    if (codeAt(cursor) !== 0x2c) fail(cursor, 'Missing a comma or } after an object member.')
    cursor.at += 1
    skipSpace(cursor)
  }
}

function parseList(cursor: Cursor, depth: number): JsonNumbers | readonly JsonNode[] {
  const openAt = cursor.at
  enter(cursor, depth)
  if (endsWith(cursor, 0x5d)) return []
  const start = cursor.at
  const numbers = isNumberStart(cursor) ? parseNumbers(cursor, openAt) : undefined
  if (numbers !== undefined) return numbers
  // Something else stands among the numbers: the list is read again, node by node.
  cursor.at = start
  const nodes: JsonNode[] = []
  do nodes.push(parseNode(cursor, depth + 1))
  while (nextElement(cursor))
  return nodes
}

function parseNumber(cursor: Cursor): JsonNumber {
  const list = new JsonNumberList()
  readNumber(cursor, list)
  return list.toNumber()
}

/**
 * Reads a list of numbers to its end, or returns undefined at the first element that is none. `openAt` is where its
 * bracket stands.
 */
function parseNumbers(cursor: Cursor, openAt: number): JsonNumbers | undefined {
  const list = new JsonNumberList()
  let isLong = false
  do {
    readPlainNumbers(cursor, list)
    if (!isNumberStart(cursor)) return undefined
    const start = cursor.at
    readNumber(cursor, list)
    if (isLong || cursor.at - start <= MAX_PLAIN_LENGTH) continue
    isLong = true
    const numbers = parseNumbersNatively(cursor, openAt)
    if (numbers !== undefined) return numbers
  } while (nextElement(cursor))
  return list.toNumbers()
}

/** Steps over a comma and returns true, or over the closing bracket and returns false. */
function nextElement(cursor: Cursor): boolean {
  skipSpace(cursor)
  if (endsWith(cursor, 0x5d)) return false
  if (codeAt(cursor) !== 0x2c) fail(cursor, 'Missing a comma or ] after an array element.')
  cursor.at += 1
  skipSpace(cursor)
  return true
}

function enter(cursor: Cursor, depth: number): void {
  if (depth > MAX_JSON_DEPTH) fail(cursor, `Nested deeper than ${MAX_JSON_DEPTH} levels.`)
  cursor.at += 1
  skipSpace(cursor)
}

function endsWith(cursor: Cursor, bracket: number): boolean {
  if (codeAt(cursor) !== bracket) return false
  cursor.at += 1
  return true
}

function isNumberStart(cursor: Cursor): boolean {
  const code = codeAt(cursor)
  return (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x4e || code === 0x49
}

function skipSpace(cursor: Cursor): void {
  const { latin1 } = cursor
  let { at } = cursor
  for (;;) {
    const code = latin1.charCodeAt(at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break
    at += 1
  }
  cursor.at = at
}
