import { spawn } from 'node:child_process'
import type { Environment } from './environment.ts'

/** How a child ended: exactly one of the three is set. */
export interface Exit {
  readonly code: number | undefined
  readonly signal: NodeJS.Signals | undefined
  /** Why it never began. */
  readonly problem: Error | undefined
}

/** A child process with an IPC channel, its output going to a file. */
export interface Child {
  /** Undefined where it never began. */
  readonly pid: number | undefined
  /** Resolves when the process has ended and all its messages are delivered; never rejects. */
  readonly exit: Promise<Exit>
  /** Sends a signal; nothing happens where the process has ended. */
  kill(signal: NodeJS.Signals): void
}

/** What to start. */
export interface ChildSpec {
  readonly command: readonly string[]
  readonly environment: Environment
  /** File descriptor that takes stdout and stderr; the caller closes its own copy. */
  readonly output: number
  readonly onMessage: (message: unknown) => void
}

// A grandchild may hold the channel open; a process that has ended is then not waited for any longer.
const CHANNEL_GRACE_MS = 500

/**
 * Starts a child in a session of its own, so that a terminal's Ctrl-C reaches only the supervisor, which then stops
 * its children in order.
 */
export function startChild(spec: ChildSpec): Child {
  const [program = '', ...parameters] = spec.command
  const child = spawn(program, parameters, {
    stdio: ['ignore', spec.output, spec.output, 'ipc'],
    detached: true,
    env: { ...spec.environment },
  })
  child.on('message', spec.onMessage)
  const exit = new Promise<Exit>(resolve => {
    child.on('error', problem => {
      if (child.pid === undefined) resolve({ code: undefined, signal: undefined, problem })
    })
    child.once('exit', (code, signal) => {
      const end = { code: code ?? undefined, signal: signal ?? undefined, problem: undefined }
      const grace = setTimeout(resolve, CHANNEL_GRACE_MS, end)
      child.once('close', () => {
        clearTimeout(grace)
        resolve(end)
      })
    })
  })
  return { pid: child.pid, exit, kill: signal => void child.kill(signal) }
}
