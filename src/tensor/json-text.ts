import { isList, isMembers, isNumber, isNumbers, type JsonNode } from './json-node.ts'
import { toFloatText } from './number-text.ts'

/** Characters of a value that an error repeats; the rest is cut. */
const SHOWN_CHARACTERS = 200

/** A value as errors show it, cut where it is long. */
export function toShownText(node: JsonNode): string {
  const text = toText(node, SHOWN_CHARACTERS)
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text
}

/** The kind of a value, in the words of TensorFlow Serving's errors (`JsonTypeString`). */
export function toTypeText(node: JsonNode): string {
  if (node === null) return 'Null'
  if (typeof node === 'boolean') return node ? 'True' : 'False'
  if (typeof node === 'string') return 'String'
  if (isNumber(node)) return 'Number'
  return isList(node) ? 'Array' : 'Object'
}

/** Text of a node; what is beyond `room` characters is not walked. */
function toText(node: JsonNode, room: number): string {
  if (node === null || typeof node === 'boolean') return String(node)
  if (typeof node === 'string') return JSON.stringify(node.slice(0, room + 1))
  if (isNumber(node)) return node.isInteger ? String(node.exact ?? node.value) : toFloatText(node.value)
  if (isNumbers(node)) return `[${node.values.slice(0, room).join(',')}]`
  const parts: string[] = []
  let left = room
  for (const [name, inner] of isMembers(node) ? node : node.entries()) {
    if (left <= 0) break
    const text = toText(inner, left)
    parts.push(isMembers(node) ? `${JSON.stringify(name)}:${text}` : text)
    left -= text.length
  }
  return isMembers(node) ? `{${parts.join(',')}}` : `[${parts.join(',')}]`
}
