import { open } from 'node:fs/promises'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { AsyncBuffer, Compressors } from 'hyparquet'
import { parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet'
import { RegattaError, toErrorText } from '../../core/errors.ts'

/** Rows that are decoded at once: a part of a long row group. */
const SLICE_ROWS = 100_000

/** A row of a Parquet file, and its number from 1. */
export interface ParquetRow {
  readonly number: number
  readonly cells: Readonly<Record<string, unknown>>
}

/** A Parquet file that is open for reading. */
export interface ParquetTable extends AsyncDisposable {
  readonly heading: readonly string[]
  /** Reads some columns of all rows, of one row group after the other. @throws PARQUET */
  rows(columns: readonly string[]): AsyncGenerator<ParquetRow>
}

const COMPRESSORS: Compressors = {
  GZIP: bytes => gunzipSync(bytes),
  ZSTD: bytes => zstdDecompressSync(bytes),
  BROTLI: bytes => brotliDecompressSync(bytes),
}

/** Opens a Parquet file by reading where its columns lie. @throws PARQUET, and the file system's errors */
export async function openParquet(path: string): Promise<ParquetTable> {
  const handle = await open(path)
  try {
    const { size } = await handle.stat()
    const file: AsyncBuffer = {
      byteLength: size,
      async slice(from, to = size) {
        const bytes = new Uint8Array(to - from)
        await handle.read(bytes, 0, bytes.byteLength, from)
        return bytes.buffer
      },
    }
    const metadata = await telling(path, () => parquetMetadataAsync(file))
    const heading = parquetSchema(metadata).children.map(({ element }) => element.name)
    return {
      heading,
      async *rows(columns) {
        let from = 0
        for (const group of metadata.row_groups) {
          const end = from + Number(group.num_rows)
          for (; from < end; from += SLICE_ROWS) {
            const range = { rowStart: from, rowEnd: Math.min(end, from + SLICE_ROWS) }
            const options = { file, metadata, columns: [...columns], compressors: COMPRESSORS, ...range }
            const slice = await telling(path, () => parquetReadObjects(options))
            for (const [index, cells] of slice.entries()) yield { number: from + index + 1, cells }
          }
          from = end
        }
      },
      [Symbol.asyncDispose]: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function telling<result>(path: string, read: () => Promise<result>): Promise<result> {
  try {
    return await read()
  } catch (cause) {
    throw new RegattaError('PARQUET', `Cannot read a Parquet file: ${toErrorText(cause)}`, {
      where: path,
      fix: 'Check that it is whole, or write it again with Snappy or no compression',
      cause,
    })
  }
}
