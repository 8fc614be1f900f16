/**
 * JSON as tensors need it: numbers keep what `JSON.parse` loses, namely whether they were written as an integer and
 * the integers beyond 2^53.
 */
export type JsonNode = null | boolean | string | JsonNumber | JsonNumbers | readonly JsonNode[] | JsonMembers

/** A JSON object; a name stands in it once. */
export type JsonMembers = ReadonlyMap<string, JsonNode>

/** One number outside a list of numbers. */
export interface JsonNumber {
  readonly kind: 'number'
  readonly value: number
  /** Whether it was written without a fraction and an exponent, and fits in 64 bits. */
  readonly isInteger: boolean
  /** The exact value of an integer beyond ±(2^53 - 1). */
  readonly exact: bigint | undefined
}

/** A list of nothing but numbers, kept flat. */
export interface JsonNumbers {
  readonly kind: 'numbers'
  readonly values: readonly number[]
  /** Index of the first that is not an integer, or -1. */
  readonly firstDecimal: number
  /** Index of the integer that is farthest from 0, or -1 where there is none. */
  readonly farthestInteger: number
  /** The exact values of integers beyond ±(2^53 - 1), by index. */
  readonly exact: ReadonlyMap<number, bigint>
}

/** Whether a node is a list, of whatever. */
export function isList(node: JsonNode): node is JsonNumbers | readonly JsonNode[] {
  return Array.isArray(node) || isNumbers(node)
}

/** Whether a node is a list of nothing but numbers (and not empty). */
export function isNumbers(node: JsonNode): node is JsonNumbers {
  return typeof node === 'object' && node !== null && 'kind' in node && node.kind === 'numbers'
}

/** Whether a node is one number. */
export function isNumber(node: JsonNode): node is JsonNumber {
  return typeof node === 'object' && node !== null && 'kind' in node && node.kind === 'number'
}

/** Whether a node is a JSON object. */
export function isMembers(node: JsonNode | undefined): node is JsonMembers {
  return node instanceof Map
}

/** The exact values of a list that has none beyond ±(2^53 - 1). */
export const NO_EXACT: ReadonlyMap<number, bigint> = new Map()
