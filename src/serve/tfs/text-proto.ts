import { findNearest } from '../../core/nearest.ts'
import { splitText, type Token, toTextError } from './text-tokens.ts'

/** What a message of a `.proto` file may hold, by the names of its fields. */
export interface TextSchema {
  readonly [name: string]: TextField
}

/** One field. */
export type TextField = (
  | { readonly kind: 'string' | 'bool' | 'double' }
  | { readonly kind: 'int'; readonly min: bigint; readonly max: bigint }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'message'; readonly fields: TextSchema }
  /** It is in the `.proto` file, but this server has no use for it. */
  | { readonly kind: 'refused'; readonly fix: string }
) & {
  readonly repeated?: true
  /** Of the fields with the same name here, one may be set. */
  readonly oneof?: string
}

/** A message that was read: lists of repeated fields, and undefined where another field is not set. */
export type TextMessage<schema extends TextSchema> = {
  readonly [name in keyof schema]: schema[name] extends { readonly repeated: true }
    ? readonly TextValue<schema[name]>[]
    : TextValue<schema[name]> | undefined
}

type TextValue<field> = field extends { readonly kind: 'string' | 'enum' }
  ? string
  : field extends { readonly kind: 'bool' }
    ? boolean
    : field extends { readonly kind: 'int' }
      ? bigint
      : field extends { readonly kind: 'double' }
        ? number
        : field extends { readonly kind: 'message'; readonly fields: infer inner extends TextSchema }
          ? TextMessage<inner>
          : never

/**
 * Reads a message in protobuf's text format, strictly: what the schema does not know is refused by name, and so is a
 * field that is set twice.
 * Source: protobuf.dev/reference/protobuf/textformat-spec. @throws TEXT_PROTO with file, line and column
 */
export function parseTextProto<const schema extends TextSchema>(
  text: string,
  schema: schema,
  file: string,
): TextMessage<schema> {
  const reader = new Reader(splitText(text, file), file)
  const message = reader.readMessage(schema, '')
  // The reader has filled in exactly what the schema says.
  return message as TextMessage<schema>
}

const ENDS: Readonly<Record<string, string>> = { '{': '}', '<': '>' }

/** Walks over the words of one text. */
class Reader {
  readonly #tokens: readonly Token[]
  readonly #file: string
  #next = 0

  constructor(tokens: readonly Token[], file: string) {
    this.#tokens = tokens
    this.#file = file
  }

  /** Reads fields up to the closing bracket, or to the text's end where there is none. */
  readMessage(schema: TextSchema, end: string): object {
    const values = new Map<string, unknown[]>()
    while (!this.#isAt(end)) {
      const name = this.#take()
      const field = this.#findField(schema, name)
      this.#checkOnce(schema, field, name, values)
      const found = values.get(name.text) ?? []
      found.push(...this.#readValues(field, name))
      values.set(name.text, found)
      this.#skip(',') || this.#skip(';')
    }
    this.#next += 1
    return Object.fromEntries(
      Object.entries(schema).map(([name, { repeated }]) => {
        const found = values.get(name) ?? []
        return [name, repeated ? found : found[0]]
      }),
    )
  }

  /** Whether a message ends here: with a bracket, or with the text. */
  #isAt(end: string): boolean {
    const { kind, text } = this.#token
    return end === '' ? kind === 'end' : kind === 'symbol' && text === end
  }

  get #token(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: '', at: '' }
  }

  #take(): Token {
    const token = this.#token
    this.#next += 1
    return token
  }

  #skip(symbol: string): boolean {
    if (this.#token.kind !== 'symbol' || this.#token.text !== symbol) return false
    this.#next += 1
    return true
  }

  #findField(schema: TextSchema, name: Token): TextField {
    if (name.kind !== 'word') throw this.#toWanted(name, "a field's name")
    const field = Object.hasOwn(schema, name.text) ? schema[name.text] : undefined
    if (field?.kind === 'refused') throw this.#toError(name, `Cannot use the field "${name.text}"`, field.fix)
    if (field !== undefined) return field
    const near = findNearest(name.text, Object.keys(schema))
    const fix = near === undefined ? `Use one of ${Object.keys(schema).join(', ')}` : `Did you mean "${near}"?`
    throw this.#toError(name, `Cannot find a field "${name.text}" here`, fix)
  }

  #checkOnce(schema: TextSchema, { oneof, repeated }: TextField, name: Token, values: ReadonlyMap<string, unknown>) {
    if (values.has(name.text) && repeated !== true)
      throw this.#toError(name, `Cannot set the field "${name.text}" twice: it is no list`)
    const other = [...values.keys()].find(
      set => set !== name.text && oneof !== undefined && schema[set]?.oneof === oneof,
    )
    if (other !== undefined) throw this.#toError(name, `Cannot set both "${other}" and "${name.text}"`)
  }

  /** Reads what stands behind a field's name: one value, or a list of them. */
  #readValues(field: TextField, name: Token): unknown[] {
    const hasColon = this.#skip(':')
    if (!hasColon && field.kind !== 'message') throw this.#toWanted(this.#token, `":" after "${name.text}"`)
    if (!this.#skip('[')) return [this.#readValue(field, name)]
    if (field.repeated !== true) throw this.#toError(name, `Cannot set the field "${name.text}" to a list: it is none`)
    const values: unknown[] = []
    if (this.#skip(']')) return values
    do values.push(this.#readValue(field, name))
    while (this.#skip(','))
    if (!this.#skip(']')) throw this.#toWanted(this.#token, '"," or "]" in a list')
    return values
  }

  #readValue(field: TextField, name: Token): unknown {
    switch (field.kind) {
      case 'message':
        return this.readMessage(field.fields, this.#readStart())
      case 'string':
        return this.#readString()
      case 'bool':
        return this.#readBool()
      case 'int':
        return this.#readInteger(field, name)
      case 'double':
        return this.#readDouble()
      case 'enum': {
        const token = this.#take()
        if (token.kind === 'word' && field.values.includes(token.text)) return token.text
        throw this.#toWanted(token, `one of ${field.values.join(', ')}`)
      }
      case 'refused':
        throw this.#toError(name, `Cannot use the field "${name.text}"`, field.fix)
      default:
        return field satisfies never
    }
  }

  /** Reads the opening bracket of a message, and returns what closes it. */
  #readStart(): string {
    const token = this.#take()
    const end = token.kind === 'symbol' ? ENDS[token.text] : undefined
    if (end === undefined) throw this.#toWanted(token, '"{"')
    return end
  }

  /** Strings that follow each other are one. */
  #readString(): string {
    if (this.#token.kind !== 'string') throw this.#toWanted(this.#token, 'a string in quotes')
    let text = ''
    while (this.#token.kind === 'string') text += this.#take().text
    return text
  }

  #readBool(): boolean {
    const token = this.#take()
    if (/^(true|True|t|1)$/.test(token.text) && token.kind !== 'string') return true
    if (/^(false|False|f|0)$/.test(token.text) && token.kind !== 'string') return false
    throw this.#toWanted(token, 'true or false')
  }

  #readInteger({ min, max }: { readonly min: bigint; readonly max: bigint }, name: Token): bigint {
    const isNegative = this.#skip('-')
    const token = this.#take()
    if (token.kind !== 'number' || !/^(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/.test(token.text))
      throw this.#toWanted(token, 'a whole number')
    const size = BigInt(/^0[0-7]/.test(token.text) ? `0o${token.text.slice(1)}` : token.text)
    const value = isNegative ? -size : size
    if (value >= min && value <= max) return value
    throw this.#toError(token, `Cannot use ${value} as ${name.text}: expected ${min} to ${max}`)
  }

  #readDouble(): number {
    const isNegative = this.#skip('-')
    const token = this.#take()
    const value = token.kind === 'number' ? Number(token.text.replace(/^(?!0[xX])(.*)[fF]$/, '$1')) : Number.NaN
    if (Number.isNaN(value)) throw this.#toWanted(token, 'a number')
    return isNegative ? -value : value
  }

  #toWanted(token: Token, wanted: string): Error {
    const found = token.kind === 'end' ? 'the end of the file' : `"${token.text}"`
    return this.#toError(token, `Expected ${wanted}, found ${found}`)
  }

  #toError({ at }: Token, what: string, fix?: string): Error {
    return toTextError(this.#file, at, what, fix)
  }
}
