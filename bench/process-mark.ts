import { readdirSync, readFileSync } from 'node:fs'

/** Kernel ticks of `utime` and `stime` (proc(5)) per second, which Linux fixes for user space. */
const TICKS = 100
/** Linux on x64 and, by default, on arm64. */
const PAGE_BYTES = 4096

/**
 * The environment variable that marks the processes of one server. Children inherit it, also those whose parent has
 * ended or that lead a session of their own, which neither a parent's number nor a process group would find.
 */
export const MARK = 'REGATTA_BENCH_MARK'

/** What all live processes with a mark have used. */
export interface Usage {
  /** User and system time. */
  readonly cpuS: number
  /** Sum of the resident sizes: pages that processes share count in each. */
  readonly rssBytes: number
}

/** Numbers of the live processes that were started with a mark, or with one below it (`mark/…`). */
export function findMarked(mark: string): readonly number[] {
  const wanted = new RegExp(`\0${MARK}=${RegExp.escape(mark)}[\0/]`)
  return readdirSync('/proc')
    .map(Number)
    .filter(pid => Number.isInteger(pid) && pid !== process.pid)
    .filter(pid => wanted.test(`\0${readProc(pid, 'environ')}`) && toFields(pid)[0] !== 'Z')
}

/** Reads what processes have used so far; one that has ended counts nothing. */
export function readUsage(pids: readonly number[]): Usage {
  let [ticks, pages] = [0, 0]
  for (const pid of pids) {
    const fields = toFields(pid)
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
    pages += Number(fields[21] ?? 0)
  }
  return { cpuS: ticks / TICKS, rssBytes: pages * PAGE_BYTES }
}

/** Fields of /proc/PID/stat from the state on: the command's name before it may hold spaces and parentheses. */
function toFields(pid: number): readonly string[] {
  const stat = readProc(pid, 'stat')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    // It has ended, or is not ours to look at.
    return ''
  }
}
