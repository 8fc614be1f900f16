import { RegattaError } from '../../core/errors.ts'

/*
 * What a program needs beside itself, from its ELF headers (System V ABI, gABI 4.1, chapters 4 and 5), 64-bit and
 * little-endian: that is Linux on x86-64 and arm64.
 *
 *   file header   0 "\x7fELF" | 4 class = 2 | 5 data = 1 | 18 machine 2 | 32 phoff 8 | 54 phentsize 2 | 56 phnum 2
 *   program header   0 type 4 | 8 offset 8 | 16 vaddr 8 | 32 filesz 8
 *   dynamic entry    0 tag 8 | 8 value 8
 */

/** Reads `length` bytes at `offset` of a file, or fewer where it ends before. */
export type ReadAt = (offset: number, length: number) => Promise<Buffer>

/** The needs of one program or shared library. */
export interface ElfNeeds {
  /** Go's word for the processor, as images have it. */
  readonly architecture: 'amd64' | 'arm64'
  /** Path of the loader that starts it; undefined for a library. */
  readonly loader: string | undefined
  /** Names of shared libraries (DT_NEEDED), in the order of the file. */
  readonly libraries: readonly string[]
  /** Folders to look in first (DT_RUNPATH or DT_RPATH); may hold `$ORIGIN`. */
  readonly folders: readonly string[]
}

const ARCHITECTURES: Readonly<Record<number, ElfNeeds['architecture']>> = { 62: 'amd64', 183: 'arm64' }
const LOAD = 1
const DYNAMIC = 2
const INTERPRETER = 3
const NEEDED = 1
const STRING_TABLE = 5
const STRING_TABLE_SIZE = 10
const RPATH = 15
const RUNPATH = 29
/** Tables of real programs are far smaller; a file that says otherwise is damaged. */
const MAX_TABLE_BYTES = 64 * 1024 * 1024

interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly sizeBytes: number
}

/** Reads what a program or shared library needs; undefined where the file is not ELF at all. @throws ELF_FORMAT */
export async function readElfNeeds(read: ReadAt): Promise<ElfNeeds | undefined> {
  const header = await read(0, 64)
  if (header.toString('latin1', 0, 4) !== '\x7fELF') return undefined
  if (header.length < 64 || header[4] !== 2 || header[5] !== 1) throw unreadable('64 bits, little-endian')
  const architecture = ARCHITECTURES[header.readUInt16LE(18)]
  if (architecture === undefined) throw unreadable('a program for x86-64 or arm64')
  const segments = await readSegments(read, header)
  const interpreter = segments.find(({ type }) => type === INTERPRETER)
  const dynamic = segments.find(({ type }) => type === DYNAMIC)
  return {
    architecture,
    loader: interpreter && toText(await readTable(read, interpreter.offset, interpreter.sizeBytes), 0),
    ...(dynamic === undefined ? { libraries: [], folders: [] } : await readDynamic(read, dynamic, segments)),
  }
}

async function readSegments(read: ReadAt, header: Buffer): Promise<readonly Segment[]> {
  const entrySize = header.readUInt16LE(54)
  const count = header.readUInt16LE(56)
  if (entrySize < 56) throw unreadable('program headers of 56 bytes')
  const table = await readTable(read, toNumber(header, 32), entrySize * count)
  return Array.from({ length: count }, (_, index) => {
    const at = index * entrySize
    return {
      type: table.readUInt32LE(at),
      offset: toNumber(table, at + 8),
      address: toNumber(table, at + 16),
      sizeBytes: toNumber(table, at + 32),
    }
  })
}

async function readDynamic(
  read: ReadAt,
  dynamic: Segment,
  segments: readonly Segment[],
): Promise<Pick<ElfNeeds, 'libraries' | 'folders'>> {
  const table = await readTable(read, dynamic.offset, dynamic.sizeBytes)
  const entries = Array.from({ length: Math.floor(table.length / 16) }, (_, index) => ({
    tag: toNumber(table, index * 16),
    value: toNumber(table, index * 16 + 8),
  }))
  const find = (tag: number): number | undefined => entries.find(entry => entry.tag === tag)?.value
  const strings = await readTable(read, toOffset(find(STRING_TABLE) ?? 0, segments), find(STRING_TABLE_SIZE) ?? 0)
  const texts = (tag: number): readonly string[] =>
    entries.filter(entry => entry.tag === tag).map(({ value }) => toText(strings, value))
  const runpath = texts(RUNPATH)
  const folders = (runpath.length > 0 ? runpath : texts(RPATH)).flatMap(text => text.split(':'))
  return { libraries: texts(NEEDED), folders: folders.filter(folder => folder !== '') }
}

/** Where in the file lies what is loaded at an address. */
function toOffset(address: number, segments: readonly Segment[]): number {
  const holder = segments.find(
    segment => segment.type === LOAD && address >= segment.address && address < segment.address + segment.sizeBytes,
  )
  if (holder === undefined) throw unreadable('its table of names within a loaded segment')
  return address - holder.address + holder.offset
}

async function readTable(read: ReadAt, offset: number, sizeBytes: number): Promise<Buffer> {
  if (sizeBytes > MAX_TABLE_BYTES) throw unreadable(`a table of at most ${MAX_TABLE_BYTES} bytes`)
  const table = await read(offset, sizeBytes)
  if (table.length !== sizeBytes) throw unreadable('more bytes')
  return table
}

function toText(table: Buffer, at: number): string {
  const end = table.indexOf(0, at)
  if (at > table.length || end === -1) throw unreadable('a name that ends')
  return table.toString('utf8', at, end)
}

function toNumber(buffer: Buffer, at: number): number {
  const value = Number(buffer.readBigUInt64LE(at))
  // Tags of the processor's own range are read too, and never used as a place in the file.
  return Number.isSafeInteger(value) ? value : Number.MAX_SAFE_INTEGER
}

function unreadable(wanted: string): RegattaError {
  return new RegattaError('ELF_FORMAT', `Cannot read program: expected ELF of ${wanted}`)
}
