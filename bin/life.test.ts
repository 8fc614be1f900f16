import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusJson } from '../src/control/index.ts'
import { ask } from './testing/client.ts'
import { makePlace, type Place } from './testing/place.ts'

async function deploy(place: Place): Promise<string> {
  await place.json(['train'])
  await place.json(['pack'])
  return (await place.json<{ gateway: string }>(['deploy'])).gateway
}

function readUpPid(place: Place): number {
  const record: unknown = JSON.parse(readFileSync(join(place.folder, '.regatta/local/up.json'), 'utf8'))
  return (record as { process: { pid: number } }).process.pid
}

async function untilNothingLives(place: Place, ms = 60_000): Promise<readonly string[]> {
  const deadline = Date.now() + ms
  while (place.listProcesses().length > 0 && Date.now() < deadline) await sleep(50)
  return place.listProcesses()
}

describe('regatta up', () => {
  it('that is killed with -9 leaves nothing that the next up and down do not clean, and the deployment comes back', async () => {
    await using place = makePlace()
    await deploy(place)
    process.kill(readUpPid(place), 'SIGKILL')
    await sleep(200)
    assert.notDeepEqual(place.listProcesses(), [], 'the children of a killed supervisor live on')
    await place.json(['up', '-d'])
    const deadline = Date.now() + 120_000
    let status = await place.json<StatusJson>(['status'])
    while (!status.ready && Date.now() < deadline) status = await place.json<StatusJson>(['status'])
    assert.equal(status.ready, true)
    assert.deepEqual((await ask(status.gateway.url ?? '', 4)).predictions, [[4]])
    await place.json(['down'])
    assert.deepEqual(place.listProcesses(), [])
  })

  it('that is killed with -9 is cleaned by down alone', async () => {
    await using place = makePlace()
    const gateway = await deploy(place)
    process.kill(readUpPid(place), 'SIGKILL')
    await sleep(200)
    await place.json(['down'])
    assert.deepEqual(place.listProcesses(), [])
    await assert.rejects(fetch(gateway))
  })

  it('ends with Ctrl-C and leaves nothing', async () => {
    await using place = makePlace()
    await deploy(place)
    await place.json(['down'])
    const interrupt = new AbortController()
    const up = place.run(['up'], { signal: interrupt.signal })
    const deadline = Date.now() + 120_000
    while ((await place.run(['status'])).code !== 0 && Date.now() < deadline) await sleep(100)
    interrupt.abort()
    const { code, err } = await up
    assert.equal(code, 130, err)
    assert.deepEqual(await untilNothingLives(place), [])
  })

  it('takes the Ctrl-C of a terminal, which it and its parent get, for one, and stops gently', async () => {
    await using place = makePlace()
    const up = spawn('node', [join(import.meta.dirname, 'regatta.js'), 'up'], { cwd: place.folder, stdio: 'ignore' })
    const record = join(place.folder, '.regatta/local/up.json')
    const deadline = Date.now() + 120_000
    while (!existsSync(record) && Date.now() < deadline) await sleep(50)
    process.kill(readUpPid(place), 'SIGINT')
    up.kill('SIGINT')
    if (up.exitCode === null) await once(up, 'exit')
    assert.equal(up.exitCode, 130)
    assert.equal(existsSync(record), false, 'one that does not stop gently leaves its record')
    assert.deepEqual(await untilNothingLives(place), [])
  })

  it('that only `delete` needed stops with it', async () => {
    await using place = makePlace()
    await place.json(['delete', '--yes'])
    assert.deepEqual(place.listProcesses(), [])
  })

  it('runs once in a project: a second one says so', async () => {
    await using place = makePlace()
    await place.json(['up', '-d'])
    const second = await place.run(['up'])
    assert.equal(second.code, 1)
    assert.match(second.err, /error\[UP_RUNNING\] regatta already runs in this project \(process \d+\)/)
    const both = await Promise.all([place.run(['up', '-d']), place.run(['up', '-d'])])
    assert.deepEqual(
      both.map(({ code }) => code),
      [0, 0],
    )
  })

  it('that starts twice at the same moment runs once', async () => {
    await using place = makePlace()
    const both = await Promise.all([place.run(['up', '-d']), place.run(['up', '-d'])])
    assert.ok(
      both.some(({ code }) => code === 0),
      both.map(({ err }) => err).join(),
    )
    const listUps = (): readonly string[] => place.listProcesses().filter(line => / up( |$)/.test(line))
    // The one that came second is told so, and may take a moment to end.
    const deadline = Date.now() + 60_000
    while (listUps().length > 1 && Date.now() < deadline) await sleep(50)
    assert.equal(listUps().length, 1)
  })
})
