import { RegattaError } from '../../core/errors.ts'

/** A longer item is refused before it fills the memory. */
const MAX_ITEM_CHARS = 1024 * 1024
/** What can begin, part or end items. */
const MARKS = /["[\]{},]/g

/**
 * Cuts JSON into the texts of its items, holding no more than a chunk and an item: the items of an array, or objects
 * one after the other. It looks at quotes and brackets alone; whoever gets an item parses it.
 *
 * @throws TRUTH_JSON with the item's number, from 1
 */
export async function* readJsonItems(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  const cutter = new Cutter()
  for await (const chunk of chunks) {
    cutter.push(chunk)
    yield* cutter.cut()
  }
  cutter.end()
}

class Cutter {
  #text = ''
  /** Where the item begins, and up to where it was looked at. */
  #from = 0
  #at = 0
  /** Brackets that are open within the item. */
  #depth = 0
  #items = 0
  #state: 'before' | 'array' | 'objects' | 'after' = 'before'

  push(chunk: string): void {
    this.#text = this.#text.slice(this.#from) + chunk
    this.#at -= this.#from
    this.#from = 0
    if (this.#state === 'before') this.#begin()
    if (this.#state === 'after' && this.#text.trim() !== '') throw this.#toError('nothing after the array')
  }

  *cut(): Generator<string> {
    while (this.#state === 'array' || this.#state === 'objects') {
      MARKS.lastIndex = this.#at
      const mark = MARKS.exec(this.#text)
      if (mark === null) this.#at = this.#text.length
      if (mark === null || !this.#pass(mark.index, mark[0])) break
      if (this.#isWhole(mark[0])) yield* this.#take(mark.index, mark[0])
    }
    if (this.#text.length - this.#from > MAX_ITEM_CHARS) throw this.#toError(`at most ${MAX_ITEM_CHARS} characters`)
  }

  end(): void {
    if (this.#state === 'array') throw this.#toError('an array that ends')
    if (this.#state === 'objects' && this.#text.slice(this.#from).trim() !== '') {
      throw this.#toError('an object that ends')
    }
  }

  #begin(): void {
    this.#text = this.#text.replace(/^\uFEFF?\s+|^\uFEFF/, '')
    if (this.#text === '') return
    this.#state = this.#text[0] === '[' ? 'array' : 'objects'
    this.#from = this.#at = this.#state === 'array' ? 1 : 0
  }

  /** Goes past a mark; false where the text that it begins has not come yet. */
  #pass(index: number, mark: string): boolean {
    this.#at = index
    const close = mark === '"' ? findClose(this.#text, index) : index
    if (close === -1) return false
    this.#at = close + 1
    if (mark === '{' || mark === '[') this.#depth += 1
    if (mark === '}' || mark === ']') this.#depth -= 1
    return true
  }

  #isWhole(mark: string): boolean {
    if (this.#state === 'objects') return this.#depth <= 0 && (mark === '}' || mark === ']')
    return this.#depth < 0 || (this.#depth === 0 && mark === ',')
  }

  *#take(index: number, mark: string): Generator<string> {
    const isLast = this.#state === 'array' && this.#depth < 0
    const text = this.#text.slice(this.#from, this.#state === 'array' ? index : index + 1)
    this.#from = this.#at
    this.#depth = 0
    if (isLast) this.#state = 'after'
    if (isLast && mark !== ']') throw this.#toError('an array that ends with ]')
    if (isLast && this.#items === 0 && text.trim() === '') return
    this.#items += 1
    yield text
    if (isLast) this.push('')
  }

  #toError(wanted: string): RegattaError {
    return new RegattaError('TRUTH_JSON', `Cannot read item ${this.#items + 1}: expected ${wanted}`, {
      fix: 'Write a JSON array of objects, or one object per line',
    })
  }
}

/** Where the text that begins at a quote ends: at a quote after an even number of backslashes. */
function findClose(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0
    while (text[at - 1 - slashes] === '\\') slashes += 1
    if (slashes % 2 === 0) return at
  }
  return -1
}
