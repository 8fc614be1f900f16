import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { RegattaError, toErrorText } from '../../core/errors.ts'

/** A stretch of the spool's lines, and where the next one begins. */
export interface SpoolPage {
  readonly lines: readonly string[]
  readonly end: number
}

const NEWLINE = 10
const BLOCK_BYTES = 1024 * 1024
const MAX_PAGE_LINES = 500

/**
 * A file of lines, first in first out, that never grows beyond a bound. What is in it survives the process; a line
 * that was read comes again after a crash.
 */
export class Spool implements AsyncDisposable {
  readonly #path: string
  readonly #maxBytes: number
  #file: FileHandle
  /** Length of the file, and of its part that was taken off. */
  #size: number
  #taken = 0

  private constructor(path: string, maxBytes: number, file: FileHandle, size: number) {
    this.#path = path
    this.#maxBytes = maxBytes
    this.#file = file
    this.#size = size
  }

  /** Opens the spool, which may hold lines of an earlier process. @throws SPOOL */
  static async open(path: string, maxBytes: number): Promise<Spool> {
    try {
      await mkdir(dirname(path), { recursive: true })
      const file = await open(path, 'a+', 0o600)
      return new Spool(path, maxBytes, file, await endLastLine(file))
    } catch (cause) {
      throw new RegattaError('SPOOL', `Cannot open the spool "${path}": ${toErrorText(cause)}`, {
        cause,
        fix: 'Name a file in a folder that this process may write',
      })
    }
  }

  get isEmpty(): boolean {
    return this.#taken === this.#size
  }

  /** Bytes that wait in it. */
  get bytes(): number {
    return this.#size - this.#taken
  }

  /** Adds lines as far as there is room, and returns how many found none. Rejects where the disk refuses them. */
  async append(lines: readonly string[]): Promise<number> {
    const bytes = Buffer.from(lines.map(line => `${line}\n`).join(''))
    if (this.#size + bytes.byteLength > this.#maxBytes) await this.#compact()
    const room = Math.max(0, this.#maxBytes - this.#size)
    const kept = bytes.byteLength <= room ? bytes : bytes.subarray(0, bytes.subarray(0, room).lastIndexOf(NEWLINE) + 1)
    try {
      await this.#file.appendFile(kept)
      this.#size += kept.byteLength
    } catch (error) {
      // A part may have been written: the file ends where it ended before.
      await this.#file.truncate(this.#size)
      throw error
    }
    return kept === bytes ? 0 : lines.length - countLines(kept)
  }

  /** Reads the oldest lines without taking them off. */
  async read(): Promise<SpoolPage> {
    for (let length = BLOCK_BYTES; ; length *= 2) {
      const { bytesRead, buffer } = await this.#file.read(Buffer.alloc(length), 0, length, this.#taken)
      const end = findPageEnd(buffer.subarray(0, bytesRead))
      if (end === 0 && bytesRead === length) continue
      const text = buffer.toString('utf8', 0, end)
      return { lines: text.split('\n').filter(line => line !== ''), end: this.#taken + end }
    }
  }

  /** Takes off what a page held. */
  async take(page: SpoolPage): Promise<void> {
    this.#taken = page.end
    if (!this.isEmpty) return
    await this.#file.truncate(0)
    this.#size = 0
    this.#taken = 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isEmpty) await this.#compact()
    await this.#file.sync()
    await this.#file.close()
  }

  /** Writes the file anew without what was taken off. */
  async #compact(): Promise<void> {
    if (this.#taken === 0) return
    const part = `${this.#path}.part`
    await rm(part, { force: true })
    const next = await open(part, 'a+', 0o600)
    try {
      await this.#copyRest(next)
      await rename(part, this.#path)
    } catch (error) {
      await next.close()
      await rm(part, { force: true })
      throw error
    }
    await this.#file.close()
    this.#file = next
    this.#size -= this.#taken
    this.#taken = 0
  }

  async #copyRest(next: FileHandle): Promise<void> {
    for (let at = this.#taken; at < this.#size; ) {
      const { bytesRead, buffer } = await this.#file.read(Buffer.alloc(BLOCK_BYTES), 0, BLOCK_BYTES, at)
      if (bytesRead === 0) throw new Error('The spool is shorter than what was written to it')
      await next.appendFile(buffer.subarray(0, bytesRead))
      at += bytesRead
    }
  }
}

/** A process that was killed may have left half a line: it becomes one of its own. Returns the file's length. */
async function endLastLine(file: FileHandle): Promise<number> {
  const { size } = await file.stat()
  if (size === 0) return 0
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  if (buffer[0] === NEWLINE) return size
  await file.appendFile('\n')
  return size + 1
}

/** Where the last whole line of a page ends. */
function findPageEnd(bytes: Uint8Array): number {
  let end = 0
  for (let lines = 0; lines < MAX_PAGE_LINES; lines++) {
    const newline = bytes.indexOf(NEWLINE, end)
    if (newline === -1) break
    end = newline + 1
  }
  return end
}

function countLines(bytes: Uint8Array): number {
  let count = 0
  for (const byte of bytes) if (byte === NEWLINE) count += 1
  return count
}
