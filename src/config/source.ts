import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type ParsedNode,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml'
import { toErrorText } from '../core/errors.ts'
import type { Place, Problem } from './problem.ts'

/** A YAML text as a value, with the places of its parts. */
export interface Source {
  readonly value: unknown
  /** Where the value of a path begins, else that of the longest part of the path that is there. */
  placeOfValue(path: readonly PropertyKey[]): Place
  /** Where the last key of a path stands. */
  placeOfKey(path: readonly PropertyKey[]): Place
}

const MAX_LENGTH = 256 * 1024
/** Nodes that aliases may stand for in all: a guard against exponential growth ("billion laughs"). */
const MAX_ALIASED = 100

/** Syntax errors whose words in the parser are meant for programmers. */
const WORDING: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'expected one document, found another after ---',
  RESOURCE_EXHAUSTION: 'expected a few levels, found lists or mappings nested too deeply',
  TAB_AS_INDENT: 'expected spaces as indentation, found a tab',
}

/** Parses a YAML text, or says what is wrong with its syntax. */
export function parseSource(text: string): Source | readonly Problem[] {
  const lines = new LineCounter()
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const problemAt = (offset: number, problem: string): Problem => ({ place: placeAt(offset), key: '', text: problem })
  if (text.length > MAX_LENGTH) {
    return [problemAt(0, `expected at most ${MAX_LENGTH} characters, found ${text.length}`)]
  }
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const errors = [...document.errors, ...document.warnings]
  // What follows the place where the parser gave up says nothing.
  const exhausted = errors.filter(error => error.code === 'RESOURCE_EXHAUSTION').slice(0, 1)
  if (errors.length > 0) {
    return (exhausted.length > 0 ? exhausted : errors).map(error => problemAt(error.pos[0], toSyntaxText(error)))
  }
  const odd = listOddNodes(document)
  if (odd.length > 0) return odd.map(({ offset, problem }) => problemAt(offset, problem))
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASED })
    return {
      value,
      placeOfValue: path => placeAt(findOffset(document, path, 'value')),
      placeOfKey: path => placeAt(findOffset(document, path, 'key')),
    }
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error
    return [problemAt(findFirstAlias(document), `expected few aliases: ${toErrorText(error)}`)]
  }
}

function toSyntaxText(error: YAMLError): string {
  return WORDING[error.code] ?? error.message.replace(/\bInvalid\b/g, 'Unknown').replace(/\binvalid\b/g, 'unknown')
}

/** Finds keys that no JavaScript object can hold as written. */
function listOddNodes(document: Document.Parsed): { readonly offset: number; readonly problem: string }[] {
  const found: { offset: number; problem: string }[] = []
  visit(document, {
    Pair(_, { key }) {
      const offset = isNode(key) ? (key.range?.[0] ?? 0) : 0
      if (isCollection(key)) found.push({ offset, problem: 'expected text as a key, found a list or a mapping' })
      else if (isScalar(key) && key.value === '__proto__')
        found.push({ offset, problem: 'expected another key than "__proto__"' })
    },
  })
  return found
}

function findFirstAlias(document: Document.Parsed): number {
  let offset = 0
  visit(document, {
    Alias(_, alias) {
      offset = alias.range?.[0] ?? 0
      return visit.BREAK
    },
  })
  return offset
}

function findOffset(document: Document.Parsed, path: readonly PropertyKey[], part: 'key' | 'value'): number {
  let node: ParsedNode | null = document.contents
  let offset = node?.range[0] ?? 0
  for (const [index, key] of path.entries()) {
    if (!isCollection(node) || isAlias(node)) return offset
    const item = isMap<ParsedNode, ParsedNode | null>(node)
      ? node.items.find(pair => isScalar(pair.key) && String(pair.key.value ?? '') === String(key))
      : { key: null, value: node.items[Number(key)] as ParsedNode | undefined }
    if (item === undefined) return offset
    const last = index === path.length - 1
    const at = last && part === 'key' ? item.key : (item.value ?? item.key)
    offset = at?.range[0] ?? offset
    node = item.value ?? null
  }
  return offset
}
