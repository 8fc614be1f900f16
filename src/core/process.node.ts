import { readFileSync } from 'node:fs'

/** A process that can be told from a later one with the same number. */
export interface ProcessId {
  readonly pid: number
  /** Kernel's start time of the process, clock ticks since boot, with the boot's id (Linux, proc(5), field 22). */
  readonly startTime: string
}

/** The identity of a running process, or undefined where none has that number (or it is a zombie). */
export function readProcessId(pid: number): ProcessId | undefined {
  try {
    // The command's name may hold spaces and parentheses: fields are counted from the last ")".
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[19] === undefined) return undefined
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    return { pid, startTime: `${boot}/${fields[19]}` }
  } catch {
    return undefined
  }
}

/** Whether exactly this process still runs. */
export function isRunning(id: ProcessId): boolean {
  return readProcessId(id.pid)?.startTime === id.startTime
}
