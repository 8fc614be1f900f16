import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { toSystemCode } from '../core/errors.ts'

const POLL_MS = 25

/** Ends every process of a group: SIGTERM, and SIGKILL where one still lives after `graceMs`. */
export async function endGroup(group: number, graceMs: number): Promise<void> {
  sendSignal(-group, 'SIGTERM')
  for (let waitedMs = 0; waitedMs < graceMs; waitedMs += POLL_MS) {
    if (!hasLiving(group)) return
    await sleep(POLL_MS)
  }
  sendSignal(-group, 'SIGKILL')
}

/** Kills every process that was started with this variable in its environment. Source: proc(5), environ. */
export function killMarked(name: string, value: string): void {
  const mark = `\0${name}=${value}\0`
  const marked = listProcesses().filter(pid => `\0${readProc(pid, 'environ')}`.includes(mark))
  for (const pid of marked) sendSignal(pid, 'SIGKILL')
}

function sendSignal(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal)
  } catch (error) {
    if (toSystemCode(error) !== 'ESRCH') throw error
  }
}

/** Whether a process of the group still runs; a zombie that nobody has waited for does not. Source: proc(5), stat. */
function hasLiving(group: number): boolean {
  return listProcesses().some(pid => {
    const stat = readProc(pid, 'stat')
    const [state, , itsGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return Number(itsGroup) === group && state !== 'Z' && state !== 'X'
  })
}

const listProcesses = (): number[] => readdirSync('/proc').flatMap(name => (/^\d+$/.test(name) ? [Number(name)] : []))

/** A file of a process; empty where the process is gone, or another user's. */
function readProc(pid: number, file: 'environ' | 'stat'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}
