import { type BigIntStats, constants, readdirSync, statSync } from 'node:fs'
import { open, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Digest } from '../../core/brands.ts'
import { RegattaError, toSystemCode } from '../../core/errors.ts'
import { createDigester } from '../../oci/index.ts'
import type { KnownFiles } from './known-files.node.ts'
import type { LayerFile } from './layer.ts'
import { isPrivateKey, isSecretPath, KEY_HEAD_BYTES, mayHoldKey } from './secrets.ts'

/** A file of this machine and what was in it when it was first read. */
export interface MeasuredFile {
  /** Absolute path on this machine; it never gets into an image. */
  readonly source: string
  readonly digest: Digest
  readonly sizeBytes: number
  /** Whether its owner may run it. */
  readonly executable: boolean
  /** How it looked: size, times, inode and mode. */
  readonly mark: string
  /** Whether a file that looks the same has the same content. */
  readonly settled: boolean
}

/** What measuring needs beside the file. */
export interface Measuring {
  readonly known: KnownFiles
  readonly signal: AbortSignal
}

const CHUNK_BYTES = 1024 * 1024
/** Kernels stamp changes by a clock that ticks every 1–10 ms; two changes within a tick look the same. */
const TICK_NS = 100_000_000n
/** Some file systems keep whole seconds only. */
const COARSE_TICK_NS = 2_000_000_000n
const SET_ID_BITS = 0o6000n

/**
 * Reads a file's digest and length, or takes what is known of it where it looks as it did then.
 * @throws FILE_READ, FILE_CHANGED, and FILE_KIND where it is no regular file or runs as its owner (setuid)
 */
export async function measureFile(source: string, { known, signal }: Measuring): Promise<MeasuredFile> {
  try {
    const before = readStat(source)
    const mark = toMark(before)
    const looks = { source, mark, executable: (before.mode & 0o100n) !== 0n }
    const found = known.find(source, mark)
    if (found !== undefined) return { ...looks, digest: found, sizeBytes: Number(before.size), settled: true }
    const settled = isSettled(before, BigInt(Date.now()) * 1_000_000n)
    const digester = createDigester()
    for await (const chunk of readChunks(source, Number(before.size), signal)) digester.update(chunk)
    const file = { ...looks, digest: digester.finish(), sizeBytes: digester.sizeBytes, settled }
    if (toMark(readStat(source)) !== mark) throw changed(file)
    if (settled) known.remember(source, mark, file.digest)
    return file
  } catch (error) {
    throw toSystemCode(error)?.startsWith('E') === true ? unreadable(source, error) : error
  }
}

/** The file as an entry of a layer; reading it again must give the same bytes. `open` throws FILE_CHANGED otherwise. */
export function toLayerFile(path: string, file: MeasuredFile, mode: number, signal: AbortSignal): LayerFile {
  const { digest, sizeBytes } = file
  return { kind: 'file', path, mode, digest, sizeBytes, open: () => readUnchanged(file, signal) }
}

/** Which files of a folder are wanted. */
export interface ListOptions {
  readonly maxFiles: number
  /** Names of folders to pass over. @default none */
  readonly without?: ReadonlySet<string>
}

/**
 * Paths of all files below a folder, relative to it, in no promised order. A link to a file within the folder stands
 * for that file.
 * @throws FILE_KIND for other links, sockets and the like; FILE_COUNT where there are more than `maxFiles`;
 * FILE_SECRET for what holds secrets by custom
 */
export async function listFiles(folder: string, { maxFiles, without }: ListOptions): Promise<readonly string[]> {
  const paths: string[] = []
  const pending = ['']
  for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
    for (const entry of readdirSync(join(folder, parent), { withFileTypes: true })) {
      const path = parent === '' ? entry.name : `${parent}/${entry.name}`
      if (entry.isDirectory()) {
        if (without?.has(entry.name) !== true) pending.push(path)
      } else {
        if (entry.isSymbolicLink()) await requireInside(folder, path)
        else if (!entry.isFile()) throw unusable(join(folder, path))
        await requireNoSecret(folder, path)
        paths.push(path)
      }
      if (paths.length + pending.length > maxFiles) throw tooMany(folder, maxFiles)
    }
  }
  return paths
}

/** Checks that a file holds no secret, as far as custom tells. @throws FILE_SECRET */
export async function requireNoSecret(folder: string, path: string): Promise<void> {
  if (isSecretPath(path) || (mayHoldKey(path) && isPrivateKey(await readHead(join(folder, path))))) {
    throw new RegattaError('FILE_SECRET', `Cannot pack "${join(folder, path)}": it looks like a secret`, {
      fix: 'Move it out of the folder: whoever can pull the image can read it',
    })
  }
}

async function readHead(path: string): Promise<Uint8Array> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const { buffer, bytesRead } = await file.read(new Uint8Array(KEY_HEAD_BYTES), 0, KEY_HEAD_BYTES, 0)
  return buffer.subarray(0, bytesRead)
}

async function requireInside(folder: string, path: string): Promise<void> {
  const full = join(folder, path)
  const target = await realpath(full).catch(() => undefined)
  const leaves = target === undefined || !target.startsWith(`${await realpath(folder)}${sep}`)
  if (leaves || !(await stat(full)).isFile()) throw badLink(full, leaves)
}

async function* readUnchanged(file: MeasuredFile, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const isUntouched = (): boolean => toMark(readStat(file.source)) === file.mark
  // What looks the same needs no second digest, and looks are compared again when all is read.
  const digester = file.settled && isUntouched() ? undefined : createDigester()
  try {
    for await (const chunk of readChunks(file.source, file.sizeBytes, signal)) {
      digester?.update(chunk)
      yield chunk
    }
    if (digester === undefined ? isUntouched() : digester.finish() === file.digest) return
  } catch (error) {
    throw toSystemCode(error) === 'ENOENT' ? changed(file, error) : error
  }
  throw changed(file)
}

/** Reads a file; the next part is read while one is used, and the memory of a part is used again after that. */
async function* readChunks(source: string, sizeBytes: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
  signal.throwIfAborted()
  await using file = await open(source)
  const room = Math.max(1, Math.min(sizeBytes, CHUNK_BYTES))
  let [part, next] = [Buffer.allocUnsafeSlow(room), Buffer.allocUnsafeSlow(room)]
  let reading = file.read(part)
  for (let { bytesRead } = await reading; bytesRead > 0; { bytesRead } = await reading) {
    signal.throwIfAborted()
    reading = file.read(next)
    // Awaited above; where nobody asks for more, nobody asks whether it can be read.
    reading.catch(() => undefined)
    yield part.subarray(0, bytesRead)
    ;[part, next] = [next, part]
  }
}

/** At once: a promise takes ten times as long as the answer, and there are many files. */
function readStat(source: string): BigIntStats {
  const found = statSync(source, { bigint: true })
  if (!found.isFile()) throw unusable(source)
  if ((found.mode & SET_ID_BITS) !== 0n) throw setId(source)
  return found
}

function toMark({ ctimeNs, dev, ino, mode, mtimeNs, size }: BigIntStats): string {
  return [size, mtimeNs, ctimeNs, ino, mode, dev].join(' ')
}

/** Whether a later change would show: the last one is older than a tick of the clock that stamps them. */
function isSettled({ ctimeNs }: BigIntStats, nowNs: bigint): boolean {
  return nowNs - ctimeNs > (ctimeNs % 1_000_000_000n === 0n ? COARSE_TICK_NS : TICK_NS)
}

function changed({ source }: Pick<MeasuredFile, 'source'>, cause?: unknown): RegattaError {
  return new RegattaError('FILE_CHANGED', `Cannot pack "${source}": it changed while it was read`, {
    fix: 'Wait until nothing writes it, then run the same command again',
    cause,
    retryable: true,
  })
}

function unreadable(source: string, cause: unknown): RegattaError {
  return new RegattaError('FILE_READ', `Cannot pack "${source}": it cannot be read`, {
    fix: 'Make the file readable for the user that packs',
    cause,
  })
}

function unusable(path: string): RegattaError {
  return new RegattaError('FILE_KIND', `Cannot pack "${path}": expected a regular file or a folder`, {
    fix: 'Move it out of the folder',
  })
}

function badLink(path: string, leaves: boolean): RegattaError {
  const found = leaves ? 'a link that leaves the folder' : 'a link to a folder'
  return new RegattaError('FILE_KIND', `Cannot pack "${path}": expected a file, found ${found}`, {
    fix: 'Put a copy of the file in place of the link, or move it out of the folder',
  })
}

function setId(path: string): RegattaError {
  return new RegattaError('FILE_KIND', `Cannot pack "${path}": it would run as its owner (setuid or setgid)`, {
    fix: `chmod u-s,g-s "${path}"`,
  })
}

function tooMany(folder: string, maxFiles: number): RegattaError {
  return new RegattaError('FILE_COUNT', `Cannot pack "${folder}": it holds more than ${maxFiles} files and folders`, {
    fix: 'Name the folder that holds the model and nothing else',
  })
}
