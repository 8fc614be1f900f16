import { RegattaError } from '../core/errors.ts'

/*
 * One 512-byte header per entry (POSIX.1-2017, pax, "ustar Interchange Format"); numbers are octal and end in NUL.
 *
 *   0 name 100 | 100 mode 8 | 108 uid 8 | 116 gid 8 | 124 size 12 | 136 mtime 12 | 148 checksum 8 | 156 type 1
 *   157 linkname 100 | 257 "ustar\0" "00" | 265 uname 32 | 297 gname 32 | 329 devmajor 8 | 337 devminor 8 | 345 prefix 155
 */

/** A file or folder of an archive. */
export type TarEntry = TarFile | TarFolder

/**
 * A file; `open` yields exactly `sizeBytes` bytes each time it is called. A chunk may be used until the next one is
 * asked for.
 */
export interface TarFile {
  readonly kind: 'file'
  /** Relative, parts joined by /, without `.`, `..` and empty parts. */
  readonly path: string
  /** @default 0o644 */
  readonly mode?: number
  readonly sizeBytes: number
  readonly open: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/** A folder of an archive. */
export interface TarFolder {
  readonly kind: 'folder'
  readonly path: string
  /** @default 0o755 */
  readonly mode?: number
}

/** Length of a header, and of what content is padded to. */
export const TAR_BLOCK_BYTES = 512
/** The largest size that eleven octal digits hold. */
const MAX_OCTAL_SIZE = 8 ** 11 - 1

/** A file of bytes that are at hand. */
export function toTarFile(path: string, content: Uint8Array, mode = 0o644): TarFile {
  return { kind: 'file', path, mode, sizeBytes: content.byteLength, open: () => [content] }
}

/**
 * The entries in the one order an archive of them has: missing parents added, sorted by the bytes of their paths.
 * @throws TAR_ENTRY for a path that is not plainly relative, or that stands twice
 */
export function planTar(entries: readonly TarEntry[]): readonly TarEntry[] {
  const planned = new Map<string, TarEntry>()
  for (const entry of entries) {
    requirePlainPath(entry.path)
    if (planned.has(entry.path)) throw unusable(entry.path, 'each path once, found it twice')
    planned.set(entry.path, entry)
  }
  for (const { path } of entries) {
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
      const parent = path.slice(0, end)
      const found = planned.get(parent)
      if (found?.kind === 'file') throw unusable(path, `"${parent}" to be a folder, found a file`)
      if (found === undefined) planned.set(parent, { kind: 'folder', path: parent })
    }
  }
  // Each path is made bytes once: a sort compares it with many.
  const keyed = [...planned.values()].map(entry => ({ entry, bytes: Buffer.from(entry.path) }))
  return keyed.sort((a, b) => Buffer.compare(a.bytes, b.bytes)).map(({ entry }) => entry)
}

/**
 * Writes an archive in constant memory: owner 0:0, no names of owners, every entry of the same time, so that the
 * bytes depend on paths, modes and contents alone. `modifiedAt` is in seconds since 1970.
 * @throws TAR_ENTRY, and FILE_CHANGED where a file has another length than planned
 */
export async function* writeTar(entries: readonly TarEntry[], modifiedAt = 1): AsyncIterable<Uint8Array> {
  for (const entry of planTar(entries)) {
    yield toHeaders(entry, modifiedAt)
    if (entry.kind === 'folder') continue
    let length = 0
    for await (const chunk of entry.open()) {
      length += chunk.byteLength
      if (length > entry.sizeBytes) break
      yield chunk
    }
    if (length !== entry.sizeBytes) throw changed(entry)
    const padding = -length & (TAR_BLOCK_BYTES - 1)
    if (padding > 0) yield new Uint8Array(padding)
  }
  yield new Uint8Array(2 * TAR_BLOCK_BYTES)
}

/** Length of the archive that `writeTar` writes. @throws TAR_ENTRY */
export function toTarBytes(entries: readonly TarEntry[]): number {
  const lengths = planTar(entries).map(entry => {
    const content = entry.kind === 'folder' ? 0 : entry.sizeBytes
    return toHeaders(entry, 1).byteLength + content + (-content & (TAR_BLOCK_BYTES - 1))
  })
  return lengths.reduce((sum, length) => sum + length, 2 * TAR_BLOCK_BYTES)
}

/** Checks that a path stays below the folder it is relative to. @throws TAR_ENTRY */
export function requirePlainPath(path: string): void {
  if (path.startsWith('/')) throw unusable(path, 'a relative path')
  if (path.includes('\0')) throw unusable(path, 'a path without NUL')
  if (path.split('/').some(part => part === '' || part === '.' || part === '..')) {
    throw unusable(path, 'a path without empty parts, "." and ".."')
  }
}

/** The header of an entry, after a pax header where ustar's fields do not hold its path or size. */
function toHeaders(entry: TarEntry, modifiedAt: number): Uint8Array {
  const path = entry.kind === 'folder' ? `${entry.path}/` : entry.path
  const sizeBytes = entry.kind === 'folder' ? 0 : entry.sizeBytes
  const fields = {
    path: splitPath(path),
    mode: entry.mode ?? (entry.kind === 'folder' ? 0o755 : 0o644),
    sizeBytes: Math.min(sizeBytes, MAX_OCTAL_SIZE),
    modifiedAt,
    type: entry.kind === 'folder' ? '5' : '0',
  }
  const records = [
    ...(fields.path === undefined ? [toPaxRecord('path', path)] : []),
    ...(sizeBytes > MAX_OCTAL_SIZE ? [toPaxRecord('size', String(sizeBytes))] : []),
  ]
  const fallback = { prefix: '', name: toAscii(path).slice(0, 100) }
  const header = toHeader({ ...fields, path: fields.path ?? fallback })
  if (records.length === 0) return header
  const pax = Buffer.concat(records)
  const paxHeader = toHeader({
    path: { prefix: '', name: `PaxHeaders.0/${toAscii(path)}`.slice(0, 100) },
    mode: 0o644,
    sizeBytes: pax.byteLength,
    modifiedAt,
    type: 'x',
  })
  return Buffer.concat([paxHeader, pax, new Uint8Array(-pax.byteLength & (TAR_BLOCK_BYTES - 1)), header])
}

interface HeaderFields {
  readonly path: { readonly prefix: string; readonly name: string }
  readonly mode: number
  readonly sizeBytes: number
  readonly modifiedAt: number
  readonly type: string
}

function toHeader(fields: HeaderFields): Buffer {
  const header = Buffer.alloc(TAR_BLOCK_BYTES)
  const writeOctal = (value: number, offset: number, digits: number): void => {
    header.write(value.toString(8).padStart(digits, '0'), offset, 'latin1')
  }
  header.write(fields.path.name, 0, 'latin1')
  writeOctal(fields.mode, 100, 7)
  writeOctal(0, 108, 7)
  writeOctal(0, 116, 7)
  writeOctal(fields.sizeBytes, 124, 11)
  writeOctal(fields.modifiedAt, 136, 11)
  header.write(' '.repeat(8), 148, 'latin1')
  header.write(fields.type, 156, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  writeOctal(0, 329, 7)
  writeOctal(0, 337, 7)
  header.write(fields.path.prefix, 345, 'latin1')
  // The checksum is taken with its own field as spaces.
  writeOctal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  )
  header.write('\0 ', 154, 'latin1')
  return header
}

/** The two fields of a path, parted at a /, or undefined where it needs a pax record. */
function splitPath(path: string): HeaderFields['path'] | undefined {
  if (toAscii(path) !== path) return undefined
  if (path.length <= 100) return { prefix: '', name: path }
  // The last character may be the / of a folder, which ends the name and parts nothing.
  const slash = path.indexOf('/', path.length - 101)
  if (slash <= 0 || slash > 155 || slash === path.length - 1) return undefined
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) }
}

/** `LENGTH KEY=VALUE\n`, whose length counts its own digits. */
function toPaxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest + String(rest).length
  if (String(length).length > String(rest).length) length = rest + String(length).length
  return Buffer.from(`${length} ${key}=${value}\n`)
}

function toAscii(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '_')
}

function changed(entry: TarFile): RegattaError {
  return new RegattaError(
    'FILE_CHANGED',
    `Cannot archive "${entry.path}": expected ${entry.sizeBytes} bytes, found another length`,
    { fix: 'The file changes while it is read: wait until nothing writes it, then run the same command again' },
  )
}

function unusable(path: string, wanted: string): RegattaError {
  return new RegattaError('TAR_ENTRY', `Cannot use "${path}" in an archive: expected ${wanted}`)
}
