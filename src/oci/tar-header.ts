import { RegattaError } from '../core/errors.ts'

/** What the 512 bytes before an entry of an archive say; `tar.ts` has the table. */
export interface TarHeader {
  readonly path: string
  readonly mode: number
  readonly sizeBytes: number
  readonly type: string
}

/** Reads a header and checks its sum. @throws TAR_FORMAT */
export function parseHeader(header: Buffer): TarHeader {
  const found = parseOctal(header, 148, 8)
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0)
  if (found !== sum) throw unreadable(`checksum ${sum}`, found)
  if (parseText(header, 257, 5) !== 'ustar') throw unreadable('the mark "ustar"', parseText(header, 257, 5))
  // GNU tar's own format marks itself by "ustar  " and has times where a prefix would be.
  const prefix = header[262] === 0 ? parseText(header, 345, 155) : ''
  const name = parseText(header, 0, 100)
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    mode: parseOctal(header, 100, 8),
    sizeBytes: parseSize(header),
    type: String.fromCharCode(header[156] ?? 0),
  }
}

/** Records of `LENGTH KEY=VALUE\n`; those of other keys than path and size say nothing that is kept here. */
export function parsePax(bytes: Buffer): ReadonlyMap<string, string> {
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

/** Octal, or (GNU tar, from 8 GiB on) big-endian with the first bit set. */
function parseSize(header: Buffer): number {
  if (((header[124] ?? 0) & 0x80) === 0) return parseOctal(header, 124, 12)
  const size = Number(header.readBigUInt64BE(128))
  if (!Number.isSafeInteger(size)) throw unreadable('a size in bytes', size)
  return size
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

/** An archive that is not as it must be. */
export function unreadable(wanted: string, found: unknown): RegattaError {
  return new RegattaError('TAR_FORMAT', `Cannot read archive: expected ${wanted}, found ${JSON.stringify(found)}`)
}
