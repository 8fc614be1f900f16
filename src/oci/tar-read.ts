import { RegattaError } from '../core/errors.ts'
import { requirePlainPath, TAR_BLOCK_BYTES } from './tar.ts'

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

interface Header {
  readonly path: string
  readonly mode: number
  readonly sizeBytes: number
  readonly type: string
}

function parseHeader(header: Buffer): Header {
  const found = parseOctal(header, 148, 8)
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0)
  if (found !== sum) throw unreadable(`checksum ${sum}`, found)
  if (parseText(header, 257, 5) !== 'ustar') throw unreadable('the mark "ustar"', parseText(header, 257, 5))
  const prefix = parseText(header, 345, 155)
  const name = parseText(header, 0, 100)
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    mode: parseOctal(header, 100, 8),
    sizeBytes: parseOctal(header, 124, 12),
    type: String.fromCharCode(header[156] ?? 0),
  }
}

function toEntry(fields: Header, pax: ReadonlyMap<string, string>): Omit<ReadEntry, 'content'> {
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

/** Records of `LENGTH KEY=VALUE\n`; those of other keys than path and size say nothing that is kept here. */
function parsePax(bytes: Buffer): ReadonlyMap<string, string> {
  const records = new Map<string, string>()
  for (let start = 0; start < bytes.length; ) {
    const space = bytes.indexOf(0x20, start)
    const length = Number(bytes.toString('latin1', start, space))
    const record = bytes.toString('utf8', space + 1, start + length)
    const equals = record.indexOf('=')
    if (space === -1 || !(length > 0) || start + length > bytes.length || equals < 1 || !record.endsWith('\n')) {
      throw unreadable('a pax record', bytes.toString('latin1', start, start + 40))
    }
    records.set(record.slice(0, equals), record.slice(equals + 1, -1))
    start += length
  }
  return records
}

function parseText(header: Buffer, offset: number, length: number): string {
  const text = header.toString('utf8', offset, offset + length)
  const end = text.indexOf('\0')
  return end === -1 ? text : text.slice(0, end)
}

function parseOctal(header: Buffer, offset: number, length: number): number {
  const text = parseText(header, offset, length).trim()
  if (!/^[0-7]*$/.test(text)) throw unreadable('an octal number', text)
  return text === '' ? 0 : Number.parseInt(text, 8)
}

function unreadable(wanted: string, found: unknown): RegattaError {
  return new RegattaError('TAR_FORMAT', `Cannot read archive: expected ${wanted}, found ${JSON.stringify(found)}`)
}

/** Hands out the bytes of a stream of chunks by count. Closes the stream when disposed of. */
class ByteSource implements AsyncDisposable {
  readonly #chunks: AsyncIterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array(0)
  #position = 0

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** Bytes handed out so far. */
  get position(): number {
    return this.#position
  }

  async read(length: number): Promise<Buffer> {
    const parts: Uint8Array[] = []
    for await (const part of this.stream(this.#position + length)) parts.push(part)
    return Buffer.concat(parts)
  }

  async skip(length: number): Promise<void> {
    for await (const _ of this.stream(this.#position + length));
  }

  async skipAll(): Promise<void> {
    while (await this.#fill());
  }

  /** The bytes up to a position. */
  async *stream(end: number): AsyncIterable<Uint8Array> {
    while (this.#position < end) {
      if (this.#rest.byteLength === 0 && !(await this.#fill())) throw unreadable('more bytes', 'its end')
      const part = this.#rest.subarray(0, end - this.#position)
      this.#rest = this.#rest.subarray(part.byteLength)
      this.#position += part.byteLength
      yield part
    }
  }

  async #fill(): Promise<boolean> {
    const next = await this.#chunks.next()
    this.#rest = next.done === true ? new Uint8Array(0) : next.value
    return next.done !== true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.()
  }
}
