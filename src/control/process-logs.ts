import type { HttpResponse } from '../core/http/http.ts'
import type { Target } from '../deploy/index.ts'
import { toControlError } from './errors.ts'

const encoder = new TextEncoder()

/** Which lines of a log are wanted. */
export interface LogWish {
  readonly lines: number
  readonly follow: boolean
}

/** Gives out the logs of a target's processes as text. Readers are bounded, and all of them end with the signal. */
export class ProcessLogs {
  readonly #target: Target
  readonly #maxReaders: number
  readonly #closing: AbortSignal
  #readers = 0

  constructor(target: Target, maxReaders: number, closing: AbortSignal) {
    this.#target = target
    this.#maxReaders = maxReaders
    this.#closing = closing
  }

  /** Readers of now. */
  get readers(): number {
    return this.#readers
  }

  /** The last lines of a log, then with `follow` every new one until the signal. @throws LOG_NONE, BUSY */
  async read(process: string, wish: LogWish, signal: AbortSignal): Promise<HttpResponse> {
    if (this.#readers >= this.#maxReaders)
      throw toControlError('BUSY', 'Cannot read another log: too many are being read', 'Close one, or try again later')
    const both = AbortSignal.any([signal, this.#closing])
    // An unknown process must be an error before the answer begins; a log may have no line for hours.
    for await (const _ of this.#target.readLog(process, { lines: 0, follow: false }, both)) break
    const headers = { 'content-type': 'text/plain; charset=utf-8' }
    return { status: 200, headers, body: this.#stream(process, wish, both) }
  }

  async *#stream(process: string, wish: LogWish, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    this.#readers += 1
    try {
      for await (const line of this.#target.readLog(process, wish, signal)) yield encoder.encode(`${line}\n`)
    } finally {
      this.#readers -= 1
    }
  }
}
