import { parentPort, Worker } from 'node:worker_threads'
import { toErrorText } from '../../core/errors.ts'
import type { Logger } from '../logger.ts'
import { toTapsReader, toUnreadLines } from './read-taps.ts'
import type { Tap } from './tap.ts'
import { type TapMessage, type TapReply, toTapMessage } from './tap-message.ts'

/** How taps are read. */
export interface TapReaderOptions {
  /** A body that is longer once it is inflated is recorded without rows. */
  readonly maxBodyBytes: number
  readonly logger: Logger
  /** The file that the thread starts with. @default the entry of the gateway's process */
  readonly entry?: URL
}

/**
 * Reads taps in a thread of its own, so that no request waits while a body is inflated or parsed. The thread starts with
 * the first taps, and anew where it ended: what it had in hand is recorded without rows. Once there are no more requests
 * that could wait (`endThread`), taps are read here.
 */
export class TapReader implements AsyncDisposable {
  readonly #options: TapReaderOptions
  readonly #readHere = toTapsReader()
  #worker: Worker | undefined
  #isEnded = false

  constructor(options: TapReaderOptions) {
    this.#options = options
  }

  /** Starts the thread where there is none: so that it is ready once there are taps to read. */
  warmUp(): void {
    if (!this.#isEnded) this.#worker ??= this.#start()
  }

  /** Reads taps into lines of JSON, one for each. To be called once at a time. Never rejects. */
  async read(taps: readonly Tap[]): Promise<TapReply> {
    const toMessage = (): TapMessage => toTapMessage(taps, this.#options.maxBodyBytes)
    try {
      this.warmUp()
      return this.#worker === undefined ? this.#readHere(toMessage()) : await ask(this.#worker, toMessage())
    } catch (error) {
      if (this.#isEnded) return this.#readHere(toMessage())
      const reason = toErrorText(error)
      this.#options.logger.error({ reason, records: taps.length }, 'Cannot read the rows of these records')
      return { lines: toUnreadLines(taps, `Cannot record the answer: ${reason}`), unlabelled: 0 }
    }
  }

  /** Ends the thread; what it has in hand is read anew. */
  async endThread(): Promise<void> {
    this.#isEnded = true
    await this.#worker?.terminate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endThread()
  }

  #start(): Worker {
    const worker = new Worker(this.#options.entry ?? toEntry(import.meta.url))
    const forget = (): void => {
      if (this.#worker === worker) this.#worker = undefined
    }
    // Whoever waits for a reply hears of it too.
    worker.once('error', forget)
    worker.once('exit', forget)
    worker.unref()
    return worker
  }
}

/** What the thread does, from its entry until it is ended. */
export function runTapThread(): void {
  const port = parentPort
  if (port === null) throw new Error('This is not a thread of a gateway')
  const read = toTapsReader()
  port.on('message', (message: TapMessage) => port.postMessage(read(message)))
}

function ask(worker: Worker, message: TapMessage): Promise<TapReply> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number): void => end(() => reject(new Error(`the thread ended with code ${code}`)))
    const onError = (error: unknown): void => end(() => reject(error))
    // While nobody waits for it, the thread does not keep the process.
    worker.ref()
    const onMessage = (reply: TapReply): void => end(() => resolve(reply))
    const end = (settle: () => void): void => {
      worker.off('exit', onExit).off('error', onError).off('message', onMessage).unref()
      settle()
    }
    worker.on('exit', onExit).on('error', onError).on('message', onMessage)
    worker.postMessage(message, [message.bytes.buffer])
  })
}

/** The file that the thread starts with: the entry of the gateway's process, which knows that it is in a thread. */
function toEntry(url: string): URL {
  return url.endsWith('.ts') ? new URL('../main.ts', url) : new URL(url)
}
