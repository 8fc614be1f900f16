import { UsageError } from '../../core/errors.ts'

/** One word of protobuf's text format. */
export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'symbol' | 'end'
  /** As written; of a string, what it says. */
  readonly text: string
  /** `line:column`, both from 1. */
  readonly at: string
}

const SPACE = /(?:\s|#[^\n]*)+/y
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y
const NUMBER = /(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fF]?)/y
// A quote, then anything but itself, a line's end or a backslash, or a backslash with what it escapes.
const STRING = /"((?:[^"\\\n]|\\[^\n])*)"|'((?:[^'\\\n]|\\[^\n])*)'/y
const SYMBOL = /[{}<>[\]:,;.\-/]/y
const WORDLIKE = /[A-Za-z0-9_]/

/**
 * Splits a text in protobuf's text format into its words, the last of which is its end.
 * Source: protobuf.dev/reference/protobuf/textformat-spec, "Lexical elements". @throws TEXT_PROTO
 */
export function splitText(text: string, file: string): readonly Token[] {
  const tokens: Token[] = []
  const places = toPlaces(text)
  for (let at = skip(SPACE, text, 0); at < text.length; at = skip(SPACE, text, at)) {
    const place = places(at)
    const word = match(WORD, text, at) ?? match(NUMBER, text, at)
    const quoted = match(STRING, text, at)
    const symbol = match(SYMBOL, text, at)
    const found = word ?? quoted ?? symbol
    if (found === undefined || (word !== undefined && isGlued(text, at + found.length))) {
      throw toTextError(file, place, `Cannot read "${text.slice(at, at + 20).split('\n')[0]}"`)
    }
    at += found.length
    if (quoted !== undefined)
      tokens.push({ kind: 'string', text: decodeString(quoted.slice(1, -1), file, place), at: place })
    else if (symbol !== undefined && word === undefined) tokens.push({ kind: 'symbol', text: found, at: place })
    else tokens.push({ kind: /^[A-Za-z_]/.test(found) ? 'word' : 'number', text: found, at: place })
  }
  return [...tokens, { kind: 'end', text: '', at: places(text.length) }]
}

/** An error in a file, with its place. */
export function toTextError(file: string, at: string, what: string, fix?: string): UsageError {
  return new UsageError('TEXT_PROTO', what, { where: `${file}:${at}`, ...(fix !== undefined && { fix }) })
}

/** `12abc` is no number and no word. */
function isGlued(text: string, at: number): boolean {
  return WORDLIKE.test(text[at] ?? '')
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

function skip(pattern: RegExp, text: string, at: number): number {
  return at + (match(pattern, text, at)?.length ?? 0)
}

/** The line and column of an offset; offsets must not go back. */
function toPlaces(text: string): (at: number) => string {
  let line = 1
  let start = 0
  return at => {
    for (;;) {
      const end = text.indexOf('\n', start)
      if (end === -1 || end >= at) return `${line}:${at - start + 1}`
      line += 1
      start = end + 1
    }
  }
}

const LETTERS: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
  ...{ '?': '?', '\\': '\\', "'": "'", '"': '"' },
}
const ESCAPE = /\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/g
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What a string says. Octal and hexadecimal escapes give bytes, all of which together are UTF-8. */
function decodeString(content: string, file: string, at: string): string {
  const parts: Buffer[] = []
  let start = 0
  for (const found of content.matchAll(ESCAPE)) {
    const [all, octal, hex, short, long, letter] = found
    const byte = octal !== undefined ? Number.parseInt(octal, 8) : Number.parseInt(hex ?? '', 16)
    const point = Number.parseInt(short ?? long ?? '', 16)
    const text = point <= 0x10ffff ? String.fromCodePoint(point) : LETTERS[letter ?? '']
    parts.push(Buffer.from(content.slice(start, found.index)))
    if (byte <= 0xff) parts.push(Buffer.of(byte))
    else if (text !== undefined) parts.push(Buffer.from(text))
    else throw toTextError(file, at, `Cannot read the escape "${all}" in a string`)
    start = found.index + all.length
  }
  try {
    return utf8.decode(Buffer.concat([...parts, Buffer.from(content.slice(start))]))
  } catch {
    throw toTextError(file, at, 'Cannot read a string: its bytes are not UTF-8')
  }
}
