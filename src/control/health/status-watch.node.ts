import type { StatusJson } from '../api/status.ts'

/** What the watch works with. */
export interface StatusWatchOptions {
  /** Changes within this time are told together, ms. */
  readonly delayMs: number
  readonly readStatus: () => StatusJson
  /** Told of a status that differs from the one before. */
  readonly onStatus: (status: StatusJson) => void
}

/** Tells how a deployment is whenever that has changed. */
export class StatusWatch {
  readonly #options: StatusWatchOptions
  #timer: NodeJS.Timeout | undefined
  #shown = ''
  #closed = false

  constructor(options: StatusWatchOptions) {
    this.#options = options
  }

  /** Notes that something may have changed. */
  touch(): void {
    if (this.#timer !== undefined || this.#closed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#tell()
    }, this.#options.delayMs)
  }

  /** Tells nothing any more. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #tell(): void {
    const status = this.#options.readStatus()
    const text = JSON.stringify(status)
    if (text === this.#shown) return
    this.#shown = text
    this.#options.onStatus(status)
  }
}
