import { setFlagsFromString } from 'node:v8'

/**
 * Keeps the part of the heap that holds young objects as small as it is at the start, and has one thread clear it. By
 * default it grows to 16 MiB and its double, all of which a server of small requests fills with garbage: after 75 000 of
 * them it took 245 MB of memory in place of 135, for 6 % less CPU time.
 *
 * Of the old objects, those are cleared away that came since the last time once there are some 10 MB of them (V8's least
 * step), and not first when there are three times as many as are needed: memory grew by 25 MB between two clearings.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--no-parallel-scavenge')
  setFlagsFromString('--heap-growing-percent=10')
}
