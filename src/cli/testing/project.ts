import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { toStatePaths } from '../../config/index.ts'
import { ADMIN, Place, type Running, toBatch, toRecord } from '../../control/testing/place.ts'
import { readProcessId } from '../../core/process.node.ts'
import { writeUpRecord } from '../../core/up-record.node.ts'
import { PROGRAM } from './program.ts'

/** A project whose control runs in the test's process, on SQLite, for commands that run in processes of their own. */
export class TestProject implements AsyncDisposable {
  readonly place: Place
  running: Running

  static async open(): Promise<TestProject> {
    const place = await Place.open()
    const project = new TestProject(place, await place.start())
    const { token, upRecord } = toStatePaths(place.folder)
    await mkdir(dirname(upRecord), { recursive: true })
    await writeFile(join(place.folder, 'regatta.yaml'), 'name: forecast\n')
    await writeFile(token, `${ADMIN}\n`, { mode: 0o600 })
    await project.#tellWhere()
    return project
  }

  private constructor(place: Place, running: Running) {
    this.place = place
    this.running = running
  }

  /** Stops control, and starts it anew after a while, at another address. */
  async restart(awayMs: number): Promise<void> {
    await this.running.stop()
    await new Promise(resolve => setTimeout(resolve, awayMs))
    this.running = await this.place.start()
    await this.#tellWhere()
  }

  /** A race of two variants that both predicted these requests: A its number, B one more. */
  async race(requests: number): Promise<void> {
    for (const body of [{ version: 1 }, { version: 2, variant: 'b', challenger: { mode: 'shadow' } }]) {
      const digest = await this.place.addImage(body.version)
      assert.equal((await this.running.json('POST', '/api/v1/deploy', { ...body, digest })).status, 200)
    }
    const epoch = Number((await this.running.json('GET', '/api/v1/status')).body['epoch'])
    for (let from = 0; from < requests; from += 5000) {
      const records = Array.from({ length: Math.min(5000, requests - from) }, (_, at) => [
        toRecord(from + at, 1, from + at, { epoch }),
        toRecord(from + at, 2, from + at + 1, { epoch, served: false }),
      ])
      const batch = toBatch(records.flat())
      assert.equal((await this.running.json('POST', '/api/v1/records', batch)).status, 200)
    }
  }

  /** Starts a command in this project. */
  start(...args: readonly string[]): ChildProcess {
    const { folder } = this.place
    return spawn(process.execPath, [PROGRAM, ...args, '--cwd', folder], { stdio: ['pipe', 'pipe', 'pipe'] })
  }

  /** Runs a command to its end. */
  async run(...args: readonly string[]): Promise<Ended> {
    return await toEnd(this.start(...args))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.place[Symbol.asyncDispose]()
  }

  async #tellWhere(): Promise<void> {
    const self = readProcessId(process.pid)
    assert.ok(self !== undefined)
    const { upRecord } = toStatePaths(this.place.folder)
    await writeUpRecord(upRecord, { process: self, controlUrl: this.running.control.url })
  }
}

/** What a command printed and how it ended. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Waits for the end of a command, reading what it prints. */
export async function toEnd(child: ChildProcess): Promise<Ended> {
  let [out, err] = ['', '']
  child.stdout?.on('data', chunk => (out += String(chunk)))
  child.stderr?.on('data', chunk => (err += String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}
