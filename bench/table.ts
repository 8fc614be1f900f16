/** Lays a head and its rows out for a terminal, in columns that are as wide as their widest cell. */
export function toAligned(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map(row => row[column]?.length ?? 0)))
  const toText = (row: readonly string[]): string => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')
  return [head, ...rows].map(row => toText(row).trimEnd()).join('\n')
}
