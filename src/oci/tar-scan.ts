import { ByteSource } from './byte-source.ts'
import { TAR_BLOCK_BYTES } from './tar.ts'
import { parseHeader, parsePax, unreadable } from './tar-header.ts'

/** One entry of any archive: of what kind it is, where, and its content. */
export interface ScannedEntry {
  /** `other` is a link, a device or a pipe. */
  readonly kind: 'file' | 'folder' | 'other'
  /** As it stands, without `./` before and `/` behind it. */
  readonly path: string
  readonly sizeBytes: number
  /** Whether the content is stored with its holes left out. */
  readonly isSparse: boolean
  /** A file's bytes; what is not read of them is skipped when the next entry is asked for. */
  readonly content: AsyncIterable<Uint8Array>
}

const MAX_EXTRA_BYTES = 1024 * 1024
const KINDS: Readonly<Record<string, ScannedEntry['kind']>> = { '0': 'file', '\0': 'file', '7': 'file', '5': 'folder' }

/**
 * Lists all entries of an archive that somebody else may have made, in constant memory: ustar, pax and GNU tar's
 * format. Its paths may lead anywhere, so nothing may be written by them. @throws TAR_FORMAT
 */
export async function* scanTar(chunks: AsyncIterable<Uint8Array>): AsyncIterable<ScannedEntry> {
  await using source = new ByteSource(chunks)
  let pax: ReadonlyMap<string, string> = new Map()
  let longName: string | undefined
  for (;;) {
    const header = await source.read(TAR_BLOCK_BYTES)
    if (header.every(byte => byte === 0)) return await source.skipAll()
    const { path, sizeBytes, type } = parseHeader(header)
    if (EXTRAS.has(type)) {
      const extra = await readExtra(source, sizeBytes)
      if (type === 'x') pax = parsePax(extra)
      if (type === 'L') longName = extra.toString('utf8').replace(/\0.*$/s, '')
      continue
    }
    const size = pax.has('size') ? Number(pax.get('size')) : sizeBytes
    if (!Number.isSafeInteger(size) || size < 0) throw unreadable('a size in bytes', pax.get('size'))
    const end = source.position + size
    yield {
      kind: KINDS[type] ?? 'other',
      path: toPlain(pax.get('path') ?? longName ?? path),
      sizeBytes: size,
      isSparse: type === 'S' || [...pax.keys()].some(key => key.startsWith('GNU.sparse.')),
      content: source.stream(end),
    }
    await source.skip(end - source.position + (-size & (TAR_BLOCK_BYTES - 1)))
    pax = new Map()
    longName = undefined
  }
}

/** pax records of the next entry (`x`) or of all (`g`), and GNU tar's long names of an entry (`L`) or of a link's target (`K`). */
const EXTRAS = new Set(['x', 'g', 'L', 'K'])

async function readExtra(source: ByteSource, sizeBytes: number): Promise<Buffer> {
  if (sizeBytes > MAX_EXTRA_BYTES) throw unreadable(`a header of at most ${MAX_EXTRA_BYTES} bytes`, sizeBytes)
  const extra = await source.read(sizeBytes)
  await source.skip(-sizeBytes & (TAR_BLOCK_BYTES - 1))
  return extra
}

function toPlain(path: string): string {
  return path.replace(/^(\.\/)+/, '').replace(/\/+$/, '')
}
