import { appendFileSync, closeSync, ftruncateSync, openSync, readSync } from 'node:fs'
import { copyFile, type FileHandle, mkdir, open, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { toSystemCode } from '../../core/errors.ts'
import { openTurns, type Turns } from './turns.ts'

/** Bounds of one process's log on disk: `PATH`, `PATH.1` (the next older) … `PATH.keep`. */
export interface LogLimits {
  /** @default 10 MiB */
  readonly maxBytes: number
  /** Older files that are kept. @default 3 */
  readonly keep: number
}

/** A place in a log: how often it had been rotated, and the offset in bytes in the file of that time. */
export interface LogPosition {
  readonly rotations: number
  readonly offset: number
}

const BEGINNING: LogPosition = { rotations: -Infinity, offset: 0 }
const BLOCK_BYTES = 64 * 1024
const NEWLINE = 10

/**
 * The log of one process: the file that its stdout and stderr append to.
 *
 * Rotation copies the file and truncates it, since the process keeps its descriptor; appending writers go on at
 * the new end. What is written between the copy of the last bytes and the truncation, microseconds, is lost.
 */
export class ProcessLog {
  readonly path: string
  readonly #limits: LogLimits
  readonly #turn: Turns = openTurns()
  #rotations = 0

  constructor(path: string, limits: LogLimits) {
    this.path = path
    this.#limits = limits
  }

  /** Opens the file for a child to append to. */
  async openToAppend(): Promise<FileHandle> {
    await mkdir(dirname(this.path), { recursive: true })
    return await open(this.path, 'a', 0o640)
  }

  /** The end as it is now. */
  async readEnd(): Promise<LogPosition> {
    return await this.#turn(async () => ({ rotations: this.#rotations, offset: await readSize(this.path) }))
  }

  /** Rotates the file where it is longer than its limit. */
  async rotateIfLong(): Promise<void> {
    await this.#turn(async () => {
      if ((await readSize(this.path)) <= this.#limits.maxBytes) return
      for (let age = this.#limits.keep - 1; age >= 1; age--) await renameIfAny(this.#toPath(age), this.#toPath(age + 1))
      await copyFile(this.path, this.#toPath(1))
      moveRest(this.path, this.#toPath(1), await readSize(this.#toPath(1)))
      this.#rotations++
    })
  }

  /** The last lines, oldest first; none from before `since`. */
  async readLastLines(count: number, since = BEGINNING): Promise<readonly string[]> {
    const end = await this.readEnd()
    const splitter = new LineSplitter()
    const lines: string[] = []
    let position = await this.#turn(async () => await this.#findTail(count, since))
    while (position.rotations < end.rotations || position.offset < end.offset) {
      const read = await this.#turn(async () => await this.#readOn(position))
      if (read.bytes.length === 0) break
      lines.push(...splitter.push(read.bytes))
      position = read.position
    }
    return [...lines, ...splitter.end()].slice(-count)
  }

  /**
   * Yields the last lines, oldest first, and then, until the signal, every line that is added. A reader that
   * falls behind by more than the kept files goes on with the oldest of them.
   */
  async *follow(count: number, everyMs: number, signal: AbortSignal): AsyncGenerator<string> {
    const splitter = new LineSplitter()
    let position = await this.#turn(async () => await this.#findTail(count, BEGINNING))
    while (!signal.aborted) {
      const read = await this.#turn(async () => await this.#readOn(position))
      position = read.position
      yield* splitter.push(read.bytes)
      if (read.bytes.length === 0) await sleep(everyMs, undefined, { signal }).catch(() => {})
    }
  }

  #toPath(age: number): string {
    return age === 0 ? this.path : `${this.path}.${age}`
  }

  /** Where the last lines begin, not before `since`. A line that has not ended yet is one of them. */
  async #findTail(count: number, since: LogPosition): Promise<LogPosition> {
    const oldest = Math.max(since.rotations, this.#rotations - this.#limits.keep)
    let missing = count
    for (let rotations = this.#rotations; rotations >= oldest; rotations--) {
      const path = this.#toPath(this.#rotations - rotations)
      const from = rotations === since.rotations ? since.offset : 0
      const tail = await findLines(path, missing, from)
      if (tail.offset !== undefined) return { rotations, offset: tail.offset }
      missing -= tail.lines
    }
    return { rotations: oldest, offset: oldest === since.rotations ? since.offset : 0 }
  }

  /** The next bytes from a position, at most a block, through the files that rotation has moved away. */
  async #readOn(from: LogPosition): Promise<{ readonly bytes: Buffer; readonly position: LogPosition }> {
    const oldest = this.#rotations - this.#limits.keep
    let { rotations, offset } = from.rotations < oldest ? { rotations: oldest, offset: 0 } : from
    for (;;) {
      const bytes = await readBlock(this.#toPath(this.#rotations - rotations), offset)
      if (bytes.length > 0) return { bytes, position: { rotations, offset: offset + bytes.length } }
      if (rotations === this.#rotations) return { bytes, position: { rotations, offset } }
      rotations++
      offset = 0
    }
  }
}

/**
 * Looks from a file's end for the offset where its last `count` lines begin, not before `from`; where the file has
 * fewer lines, says how many.
 */
async function findLines(
  path: string,
  count: number,
  from: number,
): Promise<{ readonly offset: number | undefined; readonly lines: number }> {
  const size = await readSize(path)
  if (count <= 0) return { offset: size, lines: 0 }
  let lines = 0
  for (let start = size; start > from; ) {
    const length = Math.min(BLOCK_BYTES, start - from)
    start -= length
    const block = await readBlock(path, start, length)
    for (let index = block.length - 1; index >= 0; index--) {
      const at = start + index
      // The newline at the very end ends the last line; every other one stands before a line.
      if (block[index] !== NEWLINE || at === size - 1) continue
      lines++
      if (lines === count) return { offset: at + 1, lines }
    }
  }
  return { offset: undefined, lines: size > from ? lines + 1 : 0 }
}

/** Cuts bytes into lines; holds back a line that has not ended. */
class LineSplitter {
  #rest: Buffer = Buffer.alloc(0)

  push(bytes: Buffer): readonly string[] {
    const all = Buffer.concat([this.#rest, bytes])
    // A line longer than a block is cut, so that a program that never ends one fills no memory.
    const end = all.length > BLOCK_BYTES && !all.includes(NEWLINE) ? all.length : all.lastIndexOf(NEWLINE) + 1
    this.#rest = all.subarray(end)
    if (end === 0) return []
    return all.toString('utf8', 0, all[end - 1] === NEWLINE ? end - 1 : end).split('\n')
  }

  end(): readonly string[] {
    return this.#rest.length === 0 ? [] : [this.#rest.toString('utf8')]
  }
}

async function readBlock(path: string, offset: number, length = BLOCK_BYTES): Promise<Buffer> {
  await using file = await openIfAny(path)
  if (file === undefined) return Buffer.alloc(0)
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset)
  return buffer.subarray(0, bytesRead)
}

async function openIfAny(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (toSystemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function readSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (toSystemCode(error) === 'ENOENT') return 0
    throw error
  }
}

async function renameIfAny(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (toSystemCode(error) !== 'ENOENT') throw error
  }
}

/** Appends to `to` what `from` has beyond an offset, and empties `from`, without giving up the thread in between. */
function moveRest(from: string, to: string, offset: number): void {
  const file = openSync(from, 'r+')
  try {
    const block = Buffer.alloc(BLOCK_BYTES)
    for (let at = offset; ; ) {
      const length = readSync(file, block, 0, block.length, at)
      if (length === 0) break
      appendFileSync(to, block.subarray(0, length))
      at += length
    }
    ftruncateSync(file, 0)
  } finally {
    closeSync(file)
  }
}
