import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { toSystemCode } from '../core/errors.ts'
import { LineSplitter } from './lines.ts'

/** A command line and who hears of it. */
export interface CommandOptions {
  /** Run by `/bin/sh -c`. */
  readonly command: string
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Time between SIGTERM and SIGKILL, ms. */
  readonly graceMs: number
  /** Told the number of the process, which is that of its group too. */
  readonly onStart: (pid: number) => Promise<void>
  readonly onLines: (stream: 'stdout' | 'stderr', lines: readonly string[]) => void
}

/** How a command ended. */
export interface CommandEnd {
  readonly exitCode: number | null
  readonly signal: string | null
  /** The signal of the caller came before the end. */
  readonly stopped: boolean
}

/** A process outside the group can hold the pipes open; this long its last words are waited for. */
const LAST_WORDS_MS = 1000
const POLL_MS = 25

/**
 * Runs a command in a process group of its own and returns when no process of that group is left. An abort, or a
 * listener that throws, ends the group: SIGTERM, then SIGKILL after `graceMs`. Rejects where it cannot start.
 */
export async function runCommand(options: CommandOptions, signal: AbortSignal): Promise<CommandEnd> {
  const { command, cwd, env, graceMs } = options
  const child = spawn('/bin/sh', ['-c', command], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<Omit<CommandEnd, 'stopped'>>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }))
  })
  const group = child.pid
  if (group === undefined) return { ...(await ended), stopped: false }
  const stopper = new AbortController()
  const stopping = AbortSignal.any([signal, stopper.signal])
  const end = ended.finally(() => stopper.abort())
  const work = Promise.all([
    options.onStart(group),
    readLines(child.stdout, lines => options.onLines('stdout', lines)),
    readLines(child.stderr, lines => options.onLines('stderr', lines)),
  ]).catch(error => {
    stopper.abort()
    throw error
  })
  // Both are awaited below; until then a rejection must not count as unhandled.
  work.catch(() => undefined)
  let stopped = false
  signal.addEventListener('abort', () => (stopped = true), { once: true })
  await waitForAbort(stopping)
  const wasStopped = stopped || signal.aborted
  await endGroup(group, graceMs)
  const { exitCode, signal: killedBy } = await end
  await Promise.race([work, sleep(LAST_WORDS_MS)])
  child.stdout.destroy()
  child.stderr.destroy()
  await work
  return { exitCode, signal: killedBy, stopped: wasStopped }
}

async function waitForAbort(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}

async function readLines(stream: Readable, onLines: (lines: readonly string[]) => void): Promise<void> {
  const splitter = new LineSplitter()
  try {
    for await (const chunk of stream) {
      const lines = splitter.push(chunk)
      if (lines.length > 0) onLines(lines)
    }
  } catch (error) {
    // The stream was destroyed above, when nobody of the group was left to write to it.
    if (toSystemCode(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  }
  const rest = splitter.end()
  if (rest.length > 0) onLines(rest)
}

async function endGroup(group: number, graceMs: number): Promise<void> {
  sendSignal(group, 'SIGTERM')
  for (let waitedMs = 0; waitedMs < graceMs; waitedMs += POLL_MS) {
    if (!hasLiving(group)) return
    await sleep(POLL_MS)
  }
  sendSignal(group, 'SIGKILL')
}

function sendSignal(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal)
  } catch (error) {
    if (toSystemCode(error) !== 'ESRCH') throw error
  }
}

/** Whether a process of the group still runs; a zombie that nobody has waited for does not. Source: proc(5), stat. */
function hasLiving(group: number): boolean {
  return readdirSync('/proc').some(name => {
    if (!/^\d+$/.test(name)) return false
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      const [state, , itsGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return Number(itsGroup) === group && state !== 'Z' && state !== 'X'
    } catch {
      return false
    }
  })
}
