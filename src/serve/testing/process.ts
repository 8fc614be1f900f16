import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'

/** A server's process, as a supervisor starts it. */
export interface ServerProcess extends AsyncDisposable {
  readonly child: ChildProcess
  /** All messages so far. */
  readonly messages: readonly unknown[]
  /** What it wrote to stdout and stderr so far. */
  readonly output: () => string
  /** Resolves with its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
  /** Resolves once it has sent a message of a kind; rejects where it ends before. */
  until(kind: string): Promise<{ readonly [key: string]: unknown }>
}

/** The server's entry. */
export const ENTRY = join(import.meta.dirname, '..', 'main.ts')

/** Starts the server's entry with an IPC channel; killed on disposal. */
export function startProcess(...flags: readonly string[]): ServerProcess {
  return startProgram(ENTRY, ...flags)
}

/** Starts the server's entry by another of its names. */
export function startProgram(program: string, ...flags: readonly string[]): ServerProcess {
  const child = spawn(process.execPath, [program, ...flags], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  let output = ''
  const streams = [child.stdout, child.stderr].filter(stream => stream !== null)
  for (const stream of streams)
    stream.on('data', chunk => {
      output += String(chunk)
    })
  const messages: { kind?: unknown; [key: string]: unknown }[] = []
  child.on('message', message => messages.push({ ...Object(message) }))
  // Not 'close', which does not come where this side disconnected.
  const ended = Promise.all([
    once(child, 'exit'),
    once(child, 'disconnect'),
    ...streams.map(stream => finished(stream)),
  ]).then(([[code, signal]]) => code ?? signal)
  return {
    child,
    messages,
    output: () => output,
    ended,
    async until(kind) {
      for (;;) {
        const found = messages.find(message => message.kind === kind)
        if (found !== undefined) return found
        const end = await Promise.race([once(child, 'message').then(() => undefined), ended])
        if (end !== undefined) throw new Error(`Ended with ${end} before "${kind}": ${output}`)
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
