import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { toErrorText, toSystemCode } from '../core/errors.ts'
import { endGroup } from './group.node.ts'
import { LineSplitter } from './lines.ts'

/** A command line and who hears of it. */
export interface CommandOptions {
  /** Run by `/bin/sh -c`. */
  readonly command: string
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Time between SIGTERM and SIGKILL, ms. */
  readonly graceMs: number
  readonly onLines: (stream: 'stdout' | 'stderr', lines: readonly string[]) => void
}

/** How a command ended, or why it did not start. */
export type CommandResult = CommandEnd | { readonly notStarted: string }

/** The end of a command that started. */
export interface CommandEnd {
  readonly exitCode: number | null
  readonly signal: string | null
  /** The signal of the caller came before the end. */
  readonly stopped: boolean
}

/** A process outside the group can hold the pipes open; this long its last words are waited for. */
const LAST_WORDS_MS = 1000

/**
 * Runs a command in a process group of its own and returns when no process of that group is left. An abort, or a
 * listener that throws, ends the group: SIGTERM, then SIGKILL after `graceMs`.
 */
export async function runCommand(options: CommandOptions, signal: AbortSignal): Promise<CommandResult> {
  const child = await startCommand(options)
  if ('notStarted' in child) return child
  const stopper = new AbortController()
  const stopping = AbortSignal.any([signal, stopper.signal])
  void child.exited.then(() => stopper.abort())
  const work = Promise.all([
    readLines(child.stdout, lines => options.onLines('stdout', lines)),
    readLines(child.stderr, lines => options.onLines('stderr', lines)),
  ])
  // The rejection itself is awaited below.
  work.catch(() => stopper.abort())
  await waitForAbort(stopping)
  const stopped = stopping.reason === signal.reason && signal.aborted
  await endGroup(child.group, options.graceMs)
  const end = await child.exited
  await Promise.race([work, sleep(LAST_WORDS_MS, undefined, { ref: false })])
  child.stdout.destroy()
  child.stderr.destroy()
  await work
  return { ...end, stopped }
}

interface Started {
  readonly group: number
  readonly stdout: Readable
  readonly stderr: Readable
  readonly exited: Promise<Omit<CommandEnd, 'stopped'>>
}

async function startCommand({ command, cwd, env }: CommandOptions): Promise<Started | { readonly notStarted: string }> {
  try {
    // Loaded late: most commands start no other.
    const { spawn } = await import('node:child_process')
    const child = spawn('/bin/sh', ['-c', command], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const exited = new Promise<Omit<CommandEnd, 'stopped'>>(resolve =>
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal })),
    )
    await once(child, 'spawn')
    const { pid, stderr, stdout } = child
    return pid === undefined ? { notStarted: 'it has no process number' } : { group: pid, stdout, stderr, exited }
  } catch (error) {
    return { notStarted: toErrorText(error) }
  }
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
