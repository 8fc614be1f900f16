import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusJson, TruthCountsJson } from '../src/control/index.ts'
import { ask } from './testing/client.ts'
import { makePlace, type Place } from './testing/place.ts'

/** The bundle that every image carries. */
const CONTROL = resolve(import.meta.dirname, '..', 'dist', 'runtime', 'control.js')

/** Starts the control of an image in a project's folder, and waits until it is on record. */
async function startControl({ folder }: Place): Promise<ChildProcess> {
  const token = randomBytes(32).toString('base64url')
  writeFileSync(join(folder, '.regatta', 'token'), token, { mode: 0o600 })
  const { NODE_COMPILE_CACHE, PATH } = process.env
  const env = { NODE_COMPILE_CACHE, PATH, REGATTA_TOKEN: token }
  const child = spawn(process.execPath, [CONTROL, '--project', folder], { cwd: '/', env, stdio: 'ignore' })
  const deadline = Date.now() + 120_000
  while (!existsSync(join(folder, '.regatta/local/up.json'))) {
    assert.ok(child.exitCode === null && Date.now() < deadline, `control ended with ${child.exitCode}`)
    await sleep(20)
  }
  return child
}

describe('the control of an image', () => {
  it('deploys, answers, takes truths and stops everything, as `regatta up` does', async () => {
    await using place = makePlace()
    await place.json(['train'])
    await place.json(['pack'])
    const child = await startControl(place)
    const { gateway } = await place.json<{ gateway: string }>(['deploy'])
    const answer = await ask(gateway, 4)
    assert.deepEqual(answer.predictions, [[4]])
    const file = join(place.folder, 'truths.ndjson')
    writeFileSync(file, JSON.stringify({ prediction: answer.prediction, value: 5 }))
    const counts = await place.json<TruthCountsJson>(['truth', file])
    assert.equal(counts.new + counts.orphan, 1)
    const { ready, variants } = await place.json<StatusJson>(['status'])
    assert.deepEqual([ready, variants[0]?.replicas.length], [true, 2])
    await place.json(['down'])
    if (child.exitCode === null) await once(child, 'exit')
    assert.equal(child.exitCode, 0)
    assert.deepEqual(place.listProcesses(), [])
    await assert.rejects(fetch(gateway))
  })
})
