import { readFileSync } from 'node:fs'

/** How often the kernel stopped the process for having used up its share of CPU; totals since it started. */
export interface Throttling {
  /** Periods, usually of 0.1 s, in which it wanted CPU. */
  readonly periods: number
  /** Of these, periods at whose end it had to wait. */
  readonly throttled: number
}

/** Where a container finds its own group: version 2 of control groups, then version 1. Source: kernel.org, "CFS Bandwidth Control". */
const PATHS = ['/sys/fs/cgroup/cpu.stat', '/sys/fs/cgroup/cpu/cpu.stat', '/sys/fs/cgroup/cpu,cpuacct/cpu.stat']

/** Reads what the kernel tells; undefined where it tells nothing, as without a limit. */
export function readThrottling(paths: readonly string[] = PATHS): Throttling | undefined {
  for (const path of paths) {
    try {
      return parseThrottling(readFileSync(path, 'utf8'))
    } catch {
      // The next place is looked at.
    }
  }
  return undefined
}

/** Reads the lines of cpu.stat; undefined where they do not tell. */
export function parseThrottling(text: string): Throttling | undefined {
  const countOf = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
  const [periods, throttled] = [countOf('nr_periods'), countOf('nr_throttled')]
  return periods > 0 ? { periods, throttled } : undefined
}
