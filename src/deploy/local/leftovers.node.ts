import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { RegattaError, toSystemCode } from '../../core/errors.ts'
import { type FileLock, takeFileLock } from '../../core/lock.node.ts'
import { isRunning, type ProcessId, readProcessId } from '../../core/process.node.ts'
import { SUPERVISOR_VARIABLE } from './environment.ts'
import type { LocalEvent } from './events.ts'
import { readProcessRecords, removeProcessRecord } from './records.node.ts'

/** The value of SUPERVISOR_VARIABLE in all processes of a folder's supervisor. The folder must exist. */
export function toSupervisorMark(folder: string): string {
  return createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 32)
}

/** The file whose lock says that a supervisor has the folder. */
export function toLockPath(folder: string): string {
  return join(folder, 'lock')
}

/** Makes a local target's folder and locks it for one supervisor. @throws TARGET_LOCKED */
export async function lockFolder(folder: string): Promise<FileLock> {
  await mkdir(folder, { recursive: true })
  const lock = await takeFileLock(toLockPath(folder))
  if (lock !== undefined) return lock
  throw new RegattaError('TARGET_LOCKED', 'Cannot take over the local target: another process supervises it', {
    where: folder,
    fix: 'Stop it first with "regatta down"',
  })
}

/** How leftovers are stopped, and who hears of it. */
export interface CleanOptions {
  /** From SIGTERM to SIGKILL, ms. */
  readonly drainMs: number
  readonly onEvent: (event: LocalEvent) => void
}

interface Leftover extends ProcessId {
  readonly name: string
}

/**
 * Stops every process that a crashed supervisor of this folder left running, and removes their pid files. The
 * caller holds the folder's lock. Returns a line on each that was stopped.
 *
 * A supervisor can die between the start of a process and its pid file, so processes that carry the folder's mark
 * in their environment are stopped as well (Linux, proc(5)).
 * @throws LEFTOVER where one survives SIGKILL
 */
export async function stopLeftovers(folder: string, options: CleanOptions): Promise<readonly string[]> {
  const leftovers = new Map<number, Leftover>()
  const files = await readProcessRecords(folder)
  for (const file of files) {
    if ('problem' in file) options.onEvent({ kind: 'record-broken', process: file.name, reason: file.problem })
    else if (isRunning(file.record)) leftovers.set(file.record.pid, { ...file.record, name: file.name })
  }
  for (const id of listMarked(toSupervisorMark(folder)))
    if (!leftovers.has(id.pid)) leftovers.set(id.pid, { ...id, name: 'a process without a record' })
  await stopAll([...leftovers.values()], options.drainMs)
  for (const { name, pid } of leftovers.values()) options.onEvent({ kind: 'leftover-stopped', process: name, pid })
  for (const file of files) await removeProcessRecord(folder, file.name)
  return [...leftovers.values()].map(({ name, pid }) => `stopped ${name} (process ${pid})`)
}

function listMarked(mark: string): ProcessId[] {
  const wanted = `${SUPERVISOR_VARIABLE}=${mark}`
  return listPids().flatMap(pid => {
    const id = readProcessId(pid)
    return id !== undefined && pid !== process.pid && readEnvironment(pid).includes(wanted) ? [id] : []
  })
}

/** All process numbers; none on systems without /proc. */
function listPids(): number[] {
  try {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .map(Number)
  } catch (error) {
    if (toSystemCode(error) === 'ENOENT') return []
    throw error
  }
}

/** The environment a process was started with; empty where it is another user's or has ended. */
function readEnvironment(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    return []
  }
}

async function stopAll(leftovers: readonly Leftover[], drainMs: number): Promise<void> {
  for (const [signal, waitMs] of [['SIGTERM', drainMs] as const, ['SIGKILL', 5_000] as const]) {
    for (const leftover of leftovers) sendSignal(leftover, signal)
    // SIGTERM reaches a stopped process only once it continues.
    if (signal === 'SIGTERM') for (const leftover of leftovers) sendSignal(leftover, 'SIGCONT')
    if (await isOver(leftovers, waitMs)) return
  }
  const names = leftovers.filter(isRunning).map(leftover => `${leftover.name} (process ${leftover.pid})`)
  throw new RegattaError('LEFTOVER', `Cannot stop processes of an earlier supervisor: ${names.join(', ')}`, {
    fix: 'Stop them by hand, then start again',
  })
}

function sendSignal(id: ProcessId, signal: NodeJS.Signals): void {
  if (!isRunning(id)) return
  try {
    process.kill(id.pid, signal)
  } catch (error) {
    // It may end between the look and the signal.
    if (toSystemCode(error) !== 'ESRCH') throw error
  }
}

async function isOver(leftovers: readonly ProcessId[], waitMs: number): Promise<boolean> {
  const pollMs = 20
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    if (!leftovers.some(isRunning)) return true
    if (waitedMs >= waitMs) return false
    await sleep(pollMs)
  }
}

/**
 * Stops what a crashed supervisor of this folder left running, and returns a line on each process.
 * @throws TARGET_LOCKED where a living supervisor has the folder, LEFTOVER where a process survives SIGKILL
 */
export async function cleanLeftovers(folder: string): Promise<readonly string[]> {
  if (!existsSync(folder)) return []
  await using _lock = await lockFolder(folder)
  return await stopLeftovers(folder, { drainMs: 10_000, onEvent: () => {} })
}
