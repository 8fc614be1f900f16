import { readdirSync, readFileSync } from 'node:fs'
import type { Program } from './places.ts'

/** What a process holds. */
export interface Resources {
  readonly residentBytes: number
  readonly peakBytes: number
  /** Open files: sockets, most of all. */
  readonly files: number
}

/** Reads what a process holds now. Source: proc(5). */
export function readResources({ child }: Program): Resources {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  const toBytes = (name: string): number => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1])
  return {
    residentBytes: toBytes('VmRSS'),
    peakBytes: toBytes('VmHWM'),
    files: readdirSync(`/proc/${child.pid}/fd`).length,
  }
}

const MIB = 1024 * 1024
/** What the heap of a process may grow to, beyond which V8 ends it: a leak of 2 KiB for each request is found so. */
export const MAX_HEAP_MIB = 192
/** The heap, and the bodies that lie beside it: what was freed last may still be counted. */
const MAX_RESIDENT_BYTES = 768 * MIB
/** Four bombs of 64 MiB inflate at once on each port. */
const MAX_PEAK_BYTES = 1280 * MIB
/** Connections that are kept alive between a gateway and its replica. */
const MAX_MORE_FILES = 24

/** What a process holds that it should not; undefined where nothing. */
export function judgeResources(before: Resources, after: Resources): string | undefined {
  const { residentBytes, peakBytes } = after
  if (residentBytes > MAX_RESIDENT_BYTES)
    return `memory grew to ${toMib(residentBytes)}, from ${toMib(before.residentBytes)}`
  if (peakBytes > MAX_PEAK_BYTES) return `memory was ${toMib(peakBytes)} at its peak`
  const files = after.files - before.files
  return files > MAX_MORE_FILES ? `${files} more files are open than before` : undefined
}

/** A length as people read it. */
export function toMib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`
}
