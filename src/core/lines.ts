import { RegattaError } from './errors.ts'

/** A line of a text that comes in chunks. */
export interface Line {
  /** Counted from 1. */
  readonly number: number
  readonly text: string
}

/** A longer line is refused before it fills the memory. */
const MAX_LINE_CHARS = 1024 * 1024

/** Yields the lines of a text, holding no more than a chunk and a line. @throws LINE with its number */
export async function* readLines(chunks: AsyncIterable<string>): AsyncGenerator<Line> {
  let rest = ''
  let number = 0
  for await (const chunk of chunks) {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() ?? ''
    for (const text of lines) yield { number: ++number, text }
    if (rest.length <= MAX_LINE_CHARS) continue
    throw new RegattaError(
      'LINE',
      `Cannot read line ${number + 1}: expected at most ${MAX_LINE_CHARS} characters, found more`,
      { fix: 'Write one item per line' },
    )
  }
  if (rest !== '') yield { number: number + 1, text: rest }
}

/** Decodes bytes that come in chunks. @throws UTF8 where they are no UTF-8 */
export async function* toTexts(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const decode = (chunk?: Uint8Array): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true })
    } catch (cause) {
      throw new RegattaError('UTF8', 'Cannot read the text: expected UTF-8, found other bytes', {
        fix: 'Encode it as UTF-8',
        cause,
      })
    }
  }
  for await (const chunk of chunks) yield decode(chunk)
  yield decode()
}
