import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../core/brands.ts'
import { toDiskError } from '../core/disk.ts'
import { RegattaError, toSystemCode } from '../core/errors.ts'
import { createDigester, toDigest } from './digest.ts'
import type { Descriptor } from './manifest.ts'

/*
 * Blobs lie under `blobs/sha256/HEX`. A new one is written under `ingest/` and renamed once its digest is known,
 * so that every file below `blobs/` is whole and named by its content at any moment.
 */

/** A part that nobody wrote to for this long belongs to a process that died. */
const STALE_PART_MS = 60 * 60 * 1000

/** Where the blob of a digest lies within a layout's folder. */
export function toBlobPath(folder: string, digest: Digest): string {
  return join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length))
}

/** Whether the blob is there. */
export async function hasBlob(folder: string, digest: Digest): Promise<boolean> {
  return await access(toBlobPath(folder, digest)).then(
    () => true,
    () => false,
  )
}

/** Whether the blob is there; if so it counts as new from now on, so that garbage collection leaves it. */
export async function keepBlob(folder: string, digest: Digest): Promise<boolean> {
  const now = Date.now() / 1000
  return await utimes(toBlobPath(folder, digest), now, now).then(
    () => true,
    () => false,
  )
}

/** Told of a blob while it is written, and not waited for. */
export interface BlobWatch {
  /** The first `bytes` bytes are in the file, which gets another name once all are. */
  readonly written: (path: string, bytes: number) => void
  /** It is whole; or, where undefined, it is not going to be. */
  readonly ended: (blob: Descriptor | undefined) => void
}

/** Writes a blob in constant memory, and does not wait for the disk: see `syncBlob`. @throws DISK_FULL */
export async function writeBlob(
  folder: string,
  content: Uint8Array | AsyncIterable<Uint8Array>,
  mediaType: string,
  watch?: BlobWatch,
): Promise<Descriptor> {
  const ingest = join(folder, 'ingest')
  const part = join(ingest, `${randomBytes(8).toString('hex')}.part`)
  const digester = createDigester()
  try {
    await mkdir(ingest, { recursive: true })
    const file = await open(part, 'wx', 0o644)
    try {
      for await (const chunk of content instanceof Uint8Array ? [content] : content) {
        // The disk takes the chunk while its digest is computed.
        const written = file.writeFile(chunk)
        digester.update(chunk)
        await written
        watch?.written(part, digester.sizeBytes)
      }
    } finally {
      await file.close()
    }
    const digest = digester.finish()
    await rename(part, toBlobPath(folder, digest))
    const blob = { mediaType, digest, size: digester.sizeBytes }
    watch?.ended(blob)
    return blob
  } catch (error) {
    watch?.ended(undefined)
    await rm(part, { force: true })
    throw toDiskError(error, part)
  }
}

/** Forces a blob to the disk, if it is there. */
export async function syncBlob(folder: string, digest: Digest): Promise<void> {
  try {
    await using file = await open(toBlobPath(folder, digest))
    await file.sync()
  } catch (error) {
    if (toSystemCode(error) !== 'ENOENT') throw error
  }
}

/**
 * Streams a blob. A blob whose content does not match its digest ends in a throw, so nothing may be done with the
 * bytes before the end. @throws BLOB_MISSING, BLOB_DIGEST
 */
export async function* openBlob(folder: string, digest: Digest): AsyncIterable<Uint8Array> {
  const path = toBlobPath(folder, digest)
  const digester = createDigester()
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
      const bytes: Uint8Array = chunk
      digester.update(bytes)
      yield bytes
    }
  } catch (error) {
    throw toSystemCode(error) === 'ENOENT' ? missing(digest, path) : error
  }
  requireDigest(digest, digester.finish(), path)
}

/** Reads a whole blob of at most `maxBytes`. @throws BLOB_MISSING, BLOB_DIGEST, BLOB_SIZE */
export async function readBlob(folder: string, digest: Digest, maxBytes: number): Promise<Uint8Array> {
  const path = toBlobPath(folder, digest)
  const found = await stat(path).catch(error => {
    throw toSystemCode(error) === 'ENOENT' ? missing(digest, path) : error
  })
  if (found.size > maxBytes) {
    throw new RegattaError(
      'BLOB_SIZE',
      `Cannot read blob ${digest}: expected at most ${maxBytes} bytes, found ${found.size}`,
      {
        where: path,
      },
    )
  }
  const bytes = await readFile(path)
  requireDigest(digest, toDigest(bytes), path)
  return bytes
}

function requireDigest(digest: Digest, found: Digest, path: string): void {
  if (found === digest) return
  throw new RegattaError('BLOB_DIGEST', `Cannot use blob ${digest}: its content has the digest ${found}`, {
    where: path,
    fix: 'The file was changed after it was written: delete it, then make it again with the command that made it',
  })
}

/** Deletes what processes that died left of unfinished blobs. `now` is epoch ms. */
export async function removeStaleParts(folder: string, now: number): Promise<void> {
  const ingest = join(folder, 'ingest')
  for (const name of await readdir(ingest).catch(() => [])) {
    const path = join(ingest, name)
    const found = await stat(path).catch(() => undefined)
    if (found !== undefined && now - found.mtimeMs > STALE_PART_MS) await rm(path, { force: true })
  }
}

function missing(digest: Digest, path: string): RegattaError {
  return new RegattaError('BLOB_MISSING', `Cannot find blob ${digest} in the image layout`, { where: path })
}
