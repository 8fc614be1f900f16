const FIRST_MS = 100

/** How long to wait before trying again, ms: doubles with every failure in a row, counted from 1. */
export function toBackOffMs(failures: number, maxMs: number): number {
  return Math.min(maxMs, FIRST_MS * 2 ** (failures - 1))
}
