import { stripVTControlCharacters, styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Styles text where colours are wanted. */
export function paint(colours: boolean, style: Style, text: string): string {
  return colours ? styleText(style, text, { validateStream: false }) : text
}

/** A table with a heading; columns are as wide as their widest cell, the last one is not padded. */
export function toTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows]
  const widths = heading.map((_, column) => Math.max(...all.map(row => toWidth(row[column] ?? ''))))
  const toLine = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - toWidth(cell)),
      )
      .join('  ')
      .trimEnd()
  return `${all.map(toLine).join('\n')}\n`
}

function toWidth(text: string): number {
  return [...stripVTControlCharacters(text)].length
}

/** A bar of `columns` cells, filled to `fraction` (0–1) in eighths of a cell. */
export function toBar(fraction: number, columns: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, fraction)) * columns * 8)
  const full = '█'.repeat(Math.floor(eighths / 8))
  const part = ' ▏▎▍▌▋▊▉'[eighths % 8] ?? ''
  return (full + (eighths % 8 === 0 ? '' : part)).padEnd(columns, '·')
}

/** A duration for people: `820 ms`, `12.3 s`, `2 min 05 s`, `3 h 10 min`. */
export function toDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')} min`
}

/** A size for people, in decimal units: `512 B`, `42.0 kB`, `1.3 MB`. */
export function toSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** The first twelve hex digits of a digest. */
export function toShortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12)
}
