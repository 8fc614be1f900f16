import { isObject } from '../json.ts'

/** Messages of a model server's log that tell of memory: all that is left to read of one that was killed. */
export const MEMORY_LOG = { held: 'memory', loading: 'loading' } as const

/** What the end of a log tells of memory, bytes; undefined what it does not tell. */
export interface MemoryTold {
  /** The most that the container was seen to hold. */
  readonly heldBytes: number | undefined
  /** Size of the files of the model that was loaded last. */
  readonly modelBytes: number | undefined
}

/** Reads the lines of a log that tell of memory, among any others. */
export function parseMemoryLog(lines: readonly string[]): MemoryTold {
  const entries = lines.map(parseEntry)
  const lastOf = (message: string, key: string): number | undefined => {
    const value = entries.findLast(entry => entry?.['msg'] === message)?.[key]
    return typeof value === 'number' ? value : undefined
  }
  return { heldBytes: lastOf(MEMORY_LOG.held, 'heldBytes'), modelBytes: lastOf(MEMORY_LOG.loading, 'sizeBytes') }
}

function parseEntry(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const entry: unknown = JSON.parse(line)
    return isObject(entry) ? entry : undefined
  } catch {
    // The end of a log may begin within a line.
    return undefined
  }
}
