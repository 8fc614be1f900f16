import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { toScopedToken } from '../../src/control/tokens.ts'
import { CONTROL_NODE_FLAGS } from '../../src/core/control-memory.ts'

/** The bundle that every image carries. */
const CONTROL = resolve(import.meta.dirname, '..', '..', 'dist', 'runtime', 'control.js')
const START_LIMIT_MS = 120_000

/** How a control is started. */
export interface ControlProcessOptions {
  /** Folder of regatta.yaml. */
  readonly folder: string
  readonly token: string
  /** PostgreSQL to keep events in; undefined for the project's file. */
  readonly databaseUrl?: string | undefined
}

/** The control of an image as a process of its own. */
export class ControlProcess {
  readonly url: string
  readonly #child: ChildProcess
  readonly #token: string

  private constructor(child: ChildProcess, url: string, token: string) {
    this.#child = child
    this.url = url
    this.#token = token
  }

  /** Starts one and waits until it listens. */
  static async start({ databaseUrl, folder, token }: ControlProcessOptions): Promise<ControlProcess> {
    const env = {
      PATH: process.env['PATH'],
      // Most of a short life is compiling.
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      REGATTA_TOKEN: token,
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    }
    const child = spawn(process.execPath, [...CONTROL_NODE_FLAGS, CONTROL, '--project', folder], {
      cwd: '/',
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const late = setTimeout(() => child.kill('SIGKILL'), START_LIMIT_MS)
    const said: string[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(line)
      const { msg, url } = JSON.parse(line) as { readonly msg?: string; readonly url?: string }
      if (msg !== 'Listening' || url === undefined) continue
      clearTimeout(late)
      child.stdout.resume()
      return new ControlProcess(child, url, token)
    }
    throw new Error(`control does not start: ${said.join('\n')}`)
  }

  /** Sends a document to an operation, as the gateway does for records. @throws where there is no answer */
  async post(path: string, document: unknown): Promise<Response> {
    const token = path === '/truth' ? this.#token : toScopedToken(this.#token, 'gateway')
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    return await fetch(`${this.url}${path}`, { method: 'POST', headers, body: JSON.stringify(document) })
  }

  /** Its resident memory, bytes. */
  readRss(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    return 1024 * Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1])
  }

  /** Ends it at once (SIGKILL), or gently. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill(signal)
    await exit
  }
}
