import { readFileSync } from 'node:fs'

/** The memory of the container that the process runs in, bytes. */
export interface ContainerMemory {
  /** What it holds beside files that can be read again, as `kubectl top pod` counts it. */
  readonly heldBytes: number
  readonly limitBytes: number
}

/** Where a version of control groups keeps what it knows of a container. */
export interface MemoryFiles {
  readonly limit: string
  readonly usage: string
  readonly statistics: string
}

/** What a container finds of its own group: version 2, then version 1. Source: kernel.org, "Control Group v2", "Memory". */
const PLACES: readonly MemoryFiles[] = [
  {
    limit: '/sys/fs/cgroup/memory.max',
    usage: '/sys/fs/cgroup/memory.current',
    statistics: '/sys/fs/cgroup/memory.stat',
  },
  {
    limit: '/sys/fs/cgroup/memory/memory.limit_in_bytes',
    usage: '/sys/fs/cgroup/memory/memory.usage_in_bytes',
    statistics: '/sys/fs/cgroup/memory/memory.stat',
  },
]
/** Version 1 says that there is none by a number that no machine has. */
const NO_LIMIT = 2 ** 60

/** Reads what the kernel tells; undefined where it tells nothing, as without a limit. */
export function readMemory(places: readonly MemoryFiles[] = PLACES): ContainerMemory | undefined {
  for (const { limit, statistics, usage } of places) {
    try {
      const limitBytes = Number(readFileSync(limit, 'utf8'))
      if (!(limitBytes < NO_LIMIT)) return undefined
      const usedBytes = Number(readFileSync(usage, 'utf8'))
      // Version 1 tells it of the group alone, and in total.
      const files = /^(?:total_)?inactive_file (\d+)$/m.exec(readFileSync(statistics, 'utf8'))?.[1]
      return { heldBytes: Math.max(0, usedBytes - Number(files ?? 0)), limitBytes }
    } catch {
      // The next place is looked at.
    }
  }
  return undefined
}
