import { closeSync, openSync, writeSync } from 'node:fs'
import { toDiskError } from '../core/disk.ts'

const MAX_LOG_BYTES = 32 * 1024 * 1024
const TAIL_LINES = 50
const MAX_TAIL_LINE = 2000

/** The log file of a running command: at most 32 MiB, and the last 50 lines of all. */
export class RunLog implements Disposable {
  readonly #path: string
  readonly #file: number
  readonly #maxBytes: number
  #sizeBytes = 0
  #dropped = 0
  #tail: string[] = []

  constructor(path: string, maxBytes: number = MAX_LOG_BYTES) {
    this.#path = path
    this.#maxBytes = maxBytes
    this.#file = openSync(path, 'wx', 0o644)
  }

  /** Appends lines, or counts them where the log is full. @throws DISK_FULL */
  append(lines: readonly string[]): void {
    this.#tail = [...this.#tail, ...lines.map(line => line.slice(0, MAX_TAIL_LINE))].slice(-TAIL_LINES)
    const fitting = lines.filter(line => this.#fits(line))
    this.#dropped += lines.length - fitting.length
    if (fitting.length > 0) this.#write(fitting.map(line => `${line}\n`).join(''))
  }

  /** Once a line did not fit none does, so that the log is a true beginning. */
  #fits(line: string): boolean {
    if (this.#dropped > 0) return false
    const bytes = Buffer.byteLength(line) + 1
    if (this.#sizeBytes + bytes > this.#maxBytes) {
      this.#sizeBytes = this.#maxBytes
      return false
    }
    this.#sizeBytes += bytes
    return true
  }

  #write(text: string): void {
    try {
      writeSync(this.#file, text)
    } catch (error) {
      throw toDiskError(error, this.#path)
    }
  }

  get tail(): readonly string[] {
    return this.#tail
  }

  /** What is not in the log, for people. */
  toNotes(): string[] {
    return this.#dropped === 0 ? [] : [`log: the last ${this.#dropped} lines are left out, beyond ${this.#maxBytes} bytes`]
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }
}
