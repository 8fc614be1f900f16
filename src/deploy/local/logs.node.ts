import { existsSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { RegattaError, toErrorText } from '../../core/errors.ts'
import { type LogLimits, ProcessLog } from './log.node.ts'

/** Files of `gateway` and of replicas, `VARIANT-NUMBER`, rotated ones included. */
const SUPERVISED = /^(gateway|[a-z0-9-]+-\d+)\.log(\.\d+)?$/

/** The logs of all processes of a local target, in one folder. */
export class Logs implements AsyncDisposable {
  readonly #folder: string
  readonly #limits: LogLimits
  readonly #logs = new Map<string, ProcessLog>()
  readonly #closing = new AbortController()
  readonly #upkeep: Promise<void>

  /** Looks at the sizes every `checkMs` until disposal; `onProblem` hears of a log that cannot be rotated. */
  constructor(
    folder: string,
    limits: LogLimits,
    checkMs: number,
    onProblem: (process: string, reason: string) => void,
  ) {
    this.#folder = folder
    this.#limits = limits
    this.#upkeep = this.#rotate(checkMs, onProblem)
  }

  /** The log of a process, which need not exist yet. There is one object for each, since it counts rotations. */
  open(process: string): ProcessLog {
    const open = this.#logs.get(process) ?? new ProcessLog(this.#toPath(process), this.#limits)
    this.#logs.set(process, open)
    return open
  }

  /** The log of a process that has run. @throws LOG_NONE */
  find(process: string): ProcessLog {
    if (/^[a-z0-9-]+$/.test(process) && (this.#logs.has(process) || existsSync(this.#toPath(process))))
      return this.open(process)
    const known = existsSync(this.#folder) ? readdirSync(this.#folder).filter(name => name.endsWith('.log')) : []
    throw new RegattaError('LOG_NONE', `Cannot read the log of "${process}": no such process has run here`, {
      fix: `Name one of: ${known.map(name => name.replace(/\.log$/, '')).join(', ') || '(none yet)'}`,
    })
  }

  /** Removes the logs of the gateway and the replicas, none of which may run; other files of the folder stay. */
  async clear(): Promise<void> {
    this.#logs.clear()
    if (!existsSync(this.#folder)) return
    for (const name of readdirSync(this.#folder).filter(name => SUPERVISED.test(name)))
      await rm(join(this.#folder, name), { force: true })
  }

  async #rotate(checkMs: number, onProblem: (process: string, reason: string) => void): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      await sleep(checkMs, undefined, { signal }).catch(() => {})
      for (const [process, log] of this.#logs)
        await log.rotateIfLong().catch(error => onProblem(process, toErrorText(error)))
    }
  }

  #toPath(process: string): string {
    return join(this.#folder, `${process}.log`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#upkeep
  }
}
