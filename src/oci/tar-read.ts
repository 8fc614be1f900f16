import { RegattaError } from '../core/errors.ts'
import { ByteSource } from './byte-source.ts'
import { requirePlainPath, TAR_BLOCK_BYTES } from './tar.ts'
import { parseHeader, parsePax, type TarHeader, unreadable } from './tar-header.ts'

/** One entry of an archive that is being read. */
export interface ReadEntry {
  readonly kind: 'file' | 'folder'
  /** Plainly relative: without `..`, and without a / at its ends. */
  readonly path: string
  readonly mode: number
  readonly sizeBytes: number
  /** The file's bytes; what is not read of them is skipped when the next entry is asked for. */
  readonly content: AsyncIterable<Uint8Array>
}

const MAX_PAX_BYTES = 1024 * 1024

/**
 * Reads an archive of files and folders in constant memory. Links, devices and paths that leave the folder are
 * refused, so what it yields can be written below any folder. @throws TAR_FORMAT, TAR_ENTRY
 */
export async function* readTar(chunks: AsyncIterable<Uint8Array>): AsyncIterable<ReadEntry> {
  await using source = new ByteSource(chunks)
  let pax: ReadonlyMap<string, string> = new Map()
  for (;;) {
    const header = await source.read(TAR_BLOCK_BYTES)
    if (header.every(byte => byte === 0)) return await source.skipAll()
    const fields = parseHeader(header)
    if (fields.type === 'x') {
      if (fields.sizeBytes > MAX_PAX_BYTES)
        throw unreadable(`a pax header of at most ${MAX_PAX_BYTES} bytes`, fields.path)
      pax = parsePax(await source.read(fields.sizeBytes))
      await source.skip(-fields.sizeBytes & (TAR_BLOCK_BYTES - 1))
      continue
    }
    const entry = toEntry(fields, pax)
    const end = source.position + entry.sizeBytes
    yield { ...entry, content: source.stream(end) }
    await source.skip(end - source.position + (-entry.sizeBytes & (TAR_BLOCK_BYTES - 1)))
    pax = new Map()
  }
}

function toEntry(fields: TarHeader, pax: ReadonlyMap<string, string>): Omit<ReadEntry, 'content'> {
  const kind = ({ '0': 'file', '\0': 'file', '5': 'folder' } as const)[fields.type]
  const path = (pax.get('path') ?? fields.path).replace(/\/$/, '')
  if (kind === undefined) {
    throw new RegattaError(
      'TAR_ENTRY',
      `Cannot use "${path}" of an archive: expected a file or a folder, found type "${fields.type}"`,
    )
  }
  requirePlainPath(path)
  const sizeBytes = pax.has('size') ? Number(pax.get('size')) : fields.sizeBytes
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw unreadable('a size in bytes', pax.get('size'))
  if (kind === 'folder' && sizeBytes !== 0) throw unreadable('a folder without content', sizeBytes)
  return { kind, path, mode: fields.mode & 0o7777, sizeBytes }
}
