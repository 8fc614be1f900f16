import { RegattaError } from '../../core/errors.ts'
import { readLines, toTexts } from '../../core/lines.ts'
import type { RaceSpec, Truth } from '../../store/index.ts'
import type { TruthProblemJson } from '../api/truth.ts'
import { EXAMPLE, parseTruth, type TruthItem, toUnreadable } from './truth-item.ts'

/** Items of one JSON document. */
const MAX_TRUTHS = 50_000
/** Truths of a stream that are stored at once. */
const PART_TRUTHS = 1000

/** What comes with `POST /truth`. */
export interface TruthBody {
  readonly contentType: string | undefined
  readonly chunks: AsyncIterable<Uint8Array>
}

/** How the truths of a request are read. */
export interface TruthReading {
  readonly task: RaceSpec['task']
  /** Leaves out an item that is wrong; else it ends everything. */
  readonly skip: boolean
}

/** Truths that are stored together, and the items that were left out. */
export interface TruthPart {
  readonly truths: readonly Truth[]
  readonly problems: readonly TruthProblemJson[]
}

/** Whether a body is read line by line, so that it may be as long as one likes. */
export function isNdjson(contentType: string | undefined): boolean {
  return contentType?.split(';')[0]?.trim().toLowerCase() === 'application/x-ndjson'
}

/**
 * Reads the body of `POST /truth`: one object or a JSON array is one part; NDJSON, told by its content type, comes in
 * parts as it arrives. Objects on lines under another content type are taken for a JSON document. Only a classification
 * takes a truth that is no number: what a text or a boolean loses against a number, no loss can tell.
 *
 * @throws TRUTH with the item's index (from 0) or line (from 1), and its field; of a stream, after the parts before it
 */
export async function* readTruths(body: TruthBody, reading: TruthReading): AsyncGenerator<TruthPart> {
  const texts = toTexts(body.chunks)
  try {
    if (isNdjson(body.contentType)) yield* readParts(texts, reading)
    else yield toWholePart(parseItems((await Array.fromAsync(texts)).join('')), reading)
  } catch (error) {
    if (!(error instanceof RegattaError) || (error.code !== 'UTF8' && error.code !== 'LINE')) throw error
    throw toUnreadable('the truths', 'lines of UTF-8', error.fix ?? EXAMPLE, error)
  }
}

async function* readParts(texts: AsyncIterable<string>, reading: TruthReading): AsyncGenerator<TruthPart> {
  let part = new Part(reading)
  let isEmpty = true
  for await (const { number, text } of readLines(texts)) {
    if (text.trim() === '') continue
    isEmpty = false
    part.add(`line ${number}`, place => parseLine(text, place))
    if (part.truths.length + part.problems.length < PART_TRUTHS) continue
    yield part
    part = new Part(reading)
  }
  if (isEmpty) throw toTooMany(0, 'items')
  yield part
}

function toWholePart(items: readonly TruthItem[], reading: TruthReading): TruthPart {
  if (items.length === 0 || items.length > MAX_TRUTHS) throw toTooMany(items.length, 'items')
  const part = new Part(reading)
  for (const item of items) part.add(item.place, () => item.value)
  if (part.truths.length > MAX_TRUTHS) throw toTooMany(part.truths.length, 'rows')
  return part
}

class Part implements TruthPart {
  readonly truths: Truth[] = []
  readonly problems: TruthProblemJson[] = []
  readonly #reading: TruthReading

  constructor(reading: TruthReading) {
    this.#reading = reading
  }

  add(place: string, read: (place: string) => unknown): void {
    try {
      const truths = parseTruth({ value: read(place), place }, this.#reading.task === 'classification')
      this.truths.push(...truths)
    } catch (error) {
      if (!this.#reading.skip || !(error instanceof RegattaError)) throw error
      this.problems.push({ place, message: error.message })
    }
  }
}

function parseItems(text: string): readonly TruthItem[] {
  try {
    const value: unknown = JSON.parse(text)
    const items: readonly unknown[] = Array.isArray(value) ? value : [value]
    return items.map((value, index) => ({ value, place: `truth ${index}` }))
  } catch (cause) {
    // Two objects on two lines are no JSON document, but they are NDJSON.
    if (/^\s*\{[^\n]*\}\s*\n\s*\{/.test(text)) return parseLines(text)
    throw toUnreadable('the truths', 'JSON or NDJSON, found neither', EXAMPLE, cause)
  }
}

function parseLines(text: string): readonly TruthItem[] {
  return text.split('\n').flatMap((line, at) => {
    const place = `line ${at + 1}`
    return line.trim() === '' ? [] : [{ value: parseLine(line, place), place }]
  })
}

function parseLine(line: string, place: string): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw toUnreadable(`${place} of the truths`, 'one JSON object', EXAMPLE, cause)
  }
}

function toTooMany(found: number, what: string): RegattaError {
  const fix = 'Send the truths in parts, or as application/x-ndjson'
  return toUnreadable('the truths', `1 to ${MAX_TRUTHS} ${what}, found ${found}`, fix)
}
