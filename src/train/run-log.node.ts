import { closeSync, openSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { toDiskError } from '../core/disk.ts'
import { toSystemCode } from '../core/errors.ts'

const MAX_LOG_BYTES = 32 * 1024 * 1024
const TAIL_LINES = 50
const MAX_TAIL_LINE = 2000
const MAX_TAIL_BYTES = 128 * 1024

/** The log file of a running command: at most 32 MiB, and the last 50 lines of all. */
export class RunLog implements Disposable {
  readonly #path: string
  readonly #file: number
  readonly #maxBytes: number
  #sizeBytes = 0
  #dropped = 0
  #tail: readonly string[] = []

  constructor(path: string, maxBytes: number = MAX_LOG_BYTES) {
    this.#path = path
    this.#maxBytes = maxBytes
    this.#file = openSync(path, 'wx', 0o644)
  }

  /** Appends lines, or counts them where the log is full. @throws DISK_FULL */
  append(lines: readonly string[]): void {
    this.#tail = toTail([...this.#tail, ...lines])
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
    return this.#dropped === 0
      ? []
      : [`log: the last ${this.#dropped} lines are left out, beyond ${this.#maxBytes} bytes`]
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }
}

const toTail = (lines: readonly string[]): readonly string[] =>
  lines.slice(-TAIL_LINES).map(line => line.slice(0, MAX_TAIL_LINE))

/** The last 50 lines of a log that nobody writes any more, of its last 128 KiB; none where there is no log. */
export async function readLogTail(path: string): Promise<readonly string[]> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    const start = Math.max(0, size - MAX_TAIL_BYTES)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start)
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n')
    // The first may be a piece of a line, and nothing follows the last line's end.
    return toTail(lines.slice(start > 0 ? 1 : 0).filter((line, index, all) => line !== '' || index < all.length - 1))
  } catch (error) {
    if (toSystemCode(error) === 'ENOENT') return []
    throw error
  }
}
