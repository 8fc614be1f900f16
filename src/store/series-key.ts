import { createHash } from 'node:crypto'

/** A longer name would not fit into an index of PostgreSQL. */
const MAX_CHARS = 200

/**
 * What a series is stored by: its name, where that is not very long, else its beginning and a digest. PostgreSQL's
 * texts cannot hold U+0000.
 */
export function toSeriesKey(name: string): string {
  const series = name.replaceAll('\0', '\ufffd')
  if (series.length <= MAX_CHARS) return series
  return `${series.slice(0, MAX_CHARS / 2)}#${createHash('sha256').update(series).digest('base64url')}`
}
