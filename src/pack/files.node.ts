import { constants, createReadStream } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../core/brands.ts'
import { RegattaError, toSystemCode } from '../core/errors.ts'
import { createDigester } from '../oci/index.ts'
import type { LayerFile } from './layer.ts'

/** A file of this machine and what was in it when it was first read. */
export interface MeasuredFile {
  /** Absolute path on this machine; it never gets into an image. */
  readonly source: string
  readonly digest: Digest
  readonly sizeBytes: number
}

const CHUNK_BYTES = 1024 * 1024

/** Reads a file's digest and length. @throws FILE_READ, and FILE_KIND where it is no regular file */
export async function measureFile(source: string, signal: AbortSignal): Promise<MeasuredFile> {
  const digester = createDigester()
  try {
    await requireRegular(source)
    for await (const chunk of readChunks(source, signal)) digester.update(chunk)
  } catch (error) {
    throw toSystemCode(error)?.startsWith('E') === true ? unreadable(source, error) : error
  }
  return { source, digest: digester.finish(), sizeBytes: digester.sizeBytes }
}

/** The file as an entry of a layer; reading it again must give the same bytes. `open` throws FILE_CHANGED otherwise. */
export function toLayerFile(path: string, file: MeasuredFile, mode: number, signal: AbortSignal): LayerFile {
  const { digest, sizeBytes } = file
  return { kind: 'file', path, mode, digest, sizeBytes, open: () => readUnchanged(file, signal) }
}

/**
 * Paths of all files below a folder, relative to it, in no promised order.
 * @throws FILE_KIND for links, sockets and the like; FILE_COUNT where there are more than `maxFiles`
 */
export async function listFiles(folder: string, maxFiles: number): Promise<readonly string[]> {
  const paths: string[] = []
  const pending = ['']
  for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
    for (const entry of await readdir(join(folder, parent), { withFileTypes: true })) {
      const path = parent === '' ? entry.name : `${parent}/${entry.name}`
      if (entry.isDirectory()) pending.push(path)
      else if (entry.isFile()) paths.push(path)
      else throw unusable(join(folder, path))
      if (paths.length + pending.length > maxFiles) throw tooMany(folder, maxFiles)
    }
  }
  return paths
}

async function* readUnchanged(file: MeasuredFile, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const digester = createDigester()
  try {
    for await (const chunk of readChunks(file.source, signal)) {
      digester.update(chunk)
      yield chunk
    }
  } catch (error) {
    throw toSystemCode(error) === 'ENOENT' ? changed(file, error) : error
  }
  if (digester.finish() !== file.digest) throw changed(file)
}

async function* readChunks(source: string, signal: AbortSignal): AsyncIterable<Uint8Array> {
  signal.throwIfAborted()
  for await (const chunk of createReadStream(source, { highWaterMark: CHUNK_BYTES })) {
    signal.throwIfAborted()
    const bytes: Uint8Array = chunk
    yield bytes
  }
}

async function requireRegular(source: string): Promise<void> {
  // Looked at through the open file, without waiting for the writer of a pipe.
  await using file = await open(source, constants.O_RDONLY | constants.O_NONBLOCK)
  if (!(await file.stat()).isFile()) throw unusable(source)
}

function changed({ source }: MeasuredFile, cause?: unknown): RegattaError {
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
    fix: 'Put a copy of the file in place of the link, or move it out of the folder',
  })
}

function tooMany(folder: string, maxFiles: number): RegattaError {
  return new RegattaError('FILE_COUNT', `Cannot pack "${folder}": it holds more than ${maxFiles} files and folders`, {
    fix: 'Name the folder that holds the model and nothing else',
  })
}
