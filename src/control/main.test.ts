import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ADMIN, toBatch, toRecord, toRequestId } from './testing/place.ts'
import { type Scope, toScopedToken } from './tokens.ts'

const { NODE_COMPILE_CACHE, PATH } = process.env

interface Child {
  readonly process: ChildProcess
  readonly output: () => string
  readonly exit: Promise<number | null>
}

describe('main', () => {
  let folder = ''
  const children: ChildProcess[] = []
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regatta-control-main-'))
    await writeFile(
      join(folder, 'regatta.yaml'),
      'name: forecast\nrace: {}\ntargets:\n  local: { httpPort: 0, grpcPort: 0, controlPort: 0 }\n',
    )
  })
  afterEach(async () => {
    for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
    await rm(folder, { recursive: true })
  })

  function start(args: readonly string[] = ['--project', folder], env: NodeJS.ProcessEnv = {}): Child {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
      cwd: folder,
      env: { PATH, NODE_COMPILE_CACHE, REGATTA_TOKEN: ADMIN, ...env },
    })
    children.push(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)))
    const exit = once(child, 'close').then(([code]) => code as number | null)
    return { process: child, output: () => output, exit }
  }

  async function untilListening(child: Child): Promise<string> {
    const deadline = Date.now() + 120_000
    for (;;) {
      const [, url] = /"url":"([^"]+)","msg":"Listening"/.exec(child.output()) ?? []
      if (url !== undefined) return url
      assert.ok(Date.now() < deadline && child.process.exitCode === null, child.output())
      await sleep(20)
    }
  }

  async function post(url: string, as: Scope, body: unknown): Promise<unknown> {
    const headers = { authorization: `Bearer ${toScopedToken(ADMIN, as)}` }
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    assert.equal(response.status, 200, await response.clone().text())
    return await response.json()
  }

  it('is healthy, takes records and truths, is on record while it runs, and ends with 0 on SIGTERM', async () => {
    const child = start()
    const url = await untilListening(child)
    for (const path of ['/healthz', '/readyz']) assert.equal((await fetch(url + path)).status, 200, path)
    const stored = await post(`${url}/api/v1/records`, 'gateway', toBatch([toRecord(1, 1, 2)]))
    assert.deepEqual(stored, { schema: 'regatta/records-stored/v1', added: 1, joined: 0 })
    const truths = [1, 2].map(number => ({ prediction: toRequestId(number), value: 3 }))
    const counts = { new: 1, duplicate: 0, revised: 0, stale: 0, conflict: 0, orphan: 1, refused: 0, problems: [] }
    assert.deepEqual(await post(`${url}/truth`, 'truth', truths), { schema: 'regatta/truth/v1', ...counts })
    const record = join(folder, '.regatta', 'local', 'up.json')
    assert.deepEqual(JSON.parse(await readFile(record, 'utf8')).controlUrl, url)
    child.process.kill('SIGTERM')
    assert.equal(await child.exit, 0, child.output())
    assert.equal(existsSync(record), false)
    assert.ok(!child.output().includes(ADMIN))
  })

  it('finds after a kill what it has stored, and a second one beside it ends and says why', async () => {
    const first = start()
    const batch = toBatch([toRecord(1, 1, 2)])
    await post(`${await untilListening(first)}/api/v1/records`, 'gateway', batch)
    const beside = start()
    assert.equal(await beside.exit, 1)
    assert.match(beside.output(), /TARGET_LOCKED/)
    first.process.kill('SIGKILL')
    await first.exit
    const next = start()
    const known = await post(`${await untilListening(next)}/api/v1/records`, 'gateway', batch)
    assert.deepEqual(known, { schema: 'regatta/records-stored/v1', added: 0, joined: 0 })
    next.process.kill('SIGINT')
    assert.equal(await next.exit, 0, next.output())
  })

  const wrong: [name: string, args: readonly string[], env: NodeJS.ProcessEnv, message: RegExp][] = [
    ['another target', ['--target', 'moon'], {}, /CONTROL_FLAGS.*--target moon: expected local or kubernetes/],
    ['no token', [], { REGATTA_TOKEN: undefined }, /CONTROL_FLAGS.*REGATTA_TOKEN/],
    ['a folder without a project', ['--project', '/proc'], {}, /PROJECT_MISSING.*Cannot find regatta.yaml/],
  ]
  for (const [name, args, env, message] of wrong) {
    it(`ends with 2 for ${name}`, async () => {
      const child = start(args, env)
      assert.equal(await child.exit, 2, child.output())
      assert.match(child.output(), message)
    })
  }
})
