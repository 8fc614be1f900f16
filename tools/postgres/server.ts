import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findFreePort } from '../../src/core/free-port.node.ts'
import { ensurePrograms } from './programs.ts'

const run = promisify(execFile)

/** How a server is set up. */
export interface PostgresOptions {
  /** Whether what is committed is on the disk then; tests are faster without. @default false */
  readonly durable?: boolean
}

/** How long a server may take to answer, and to end, ms. */
const START_LIMIT_MS = 30_000
const STOP_LIMIT_MS = 10_000

/**
 * Starts a PostgreSQL of its own on 127.0.0.1, at a free port, with its data in a temporary folder that goes when it is
 * disposed. It refuses to run as root: then it runs as another user. Returns why where there is none.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres | { readonly problem: string }> {
  const programs = ensurePrograms()
  if ('problem' in programs) return programs
  const user = await findUser()
  const folder = await mkdtemp(join(tmpdir(), 'regatta-postgres-'))
  if (user !== undefined) await chown(folder, user.uid, user.gid)
  const port = await findFreePort()
  const server = new Postgres({ programs: programs.folder, folder, port, user, durable: options.durable ?? false })
  try {
    await server.create()
    await server.start()
    return server
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
}

interface Setup {
  readonly programs: string
  readonly folder: string
  readonly port: number
  readonly user: User | undefined
  readonly durable: boolean
}

/** A running server; it may be stopped and started again. */
export class Postgres implements AsyncDisposable {
  readonly #setup: Setup
  #process: ChildProcess | undefined
  #said = ''

  constructor(setup: Setup) {
    this.#setup = setup
  }

  /** The address of a database. */
  toUrl(database = 'postgres'): string {
    return `postgres://regatta@127.0.0.1:${this.#setup.port}/${database}`
  }

  /** The server's process; undefined while it is stopped. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Makes the data. */
  async create(): Promise<void> {
    const { programs, user } = this.#setup
    const flags = ['--auth=trust', '--username=regatta', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync']
    await run(join(programs, 'initdb'), ['-D', this.#data, ...flags], { ...user, cwd: '/' })
  }

  /** Starts it and waits until it answers. */
  async start(): Promise<void> {
    const { durable, port, programs, user } = this.#setup
    const settings = [
      ...['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', 'max_connections=50'],
      ...(durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
    ]
    const child = spawn(join(programs, 'postgres'), ['-D', this.#data, ...settings.flatMap(one => ['-c', one])], {
      ...{ ...user, cwd: '/' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#process = child
    child.stderr?.on('data', chunk => {
      this.#said = (this.#said + String(chunk)).slice(-4000)
    })
    const deadline = Date.now() + START_LIMIT_MS
    while (!(await this.#isReady())) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`PostgreSQL does not start:\n${this.#said}`)
      await sleep(50)
    }
  }

  /** Ends it, with its clients' connections; `how` is `now` for an end as of a crash. */
  async stop(how: 'fast' | 'now' = 'fast'): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null) return
    const exit = once(child, 'exit')
    child.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT')
    const late = setTimeout(() => child.kill('SIGQUIT'), STOP_LIMIT_MS)
    await exit
    clearTimeout(late)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('now')
    await rm(this.#setup.folder, { recursive: true, force: true })
  }

  get #data(): string {
    return join(this.#setup.folder, 'data')
  }

  /** Its own record says when it takes connections (postmaster.pid, the last line). */
  async #isReady(): Promise<boolean> {
    const record = await readFile(join(this.#data, 'postmaster.pid'), 'utf8').catch(() => '')
    return record.startsWith(`${this.#process?.pid}\n`) && /^ready/m.test(record)
  }
}

interface User {
  readonly uid: number
  readonly gid: number
}

/** Whom the server runs as where this process is root's: the user of Debian's package, else nobody. */
async function findUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const users = await readFile('/etc/passwd', 'utf8')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] =
      users
        .split('\n')
        .find(line => line.startsWith(`${name}:`))
        ?.split(':') ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('PostgreSQL refuses to run as root, and this machine has no user postgres or nobody')
}
