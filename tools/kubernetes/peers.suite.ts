import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { askMany } from '../../bin/testing/client.ts'
import type { StatusJson } from '../../src/control/index.ts'
import { isObject } from '../../src/core/json.ts'
import { openLayout } from '../../src/oci/index.ts'
import { type Load, startLoad } from './load.ts'
import { type Harbour, openHarbour, type Packed } from './namespace.ts'
import { writeShellBase } from './shell-base.ts'

const MOODY = `server: custom
  base: oci:base
  files: { /app/server.js: server.js }
  command: [/usr/local/bin/node, /app/server.js]`

type Replica = StatusJson['variants'][number]['replicas'][number]

describe('a replica among its siblings', () => {
  let harbour: Harbour
  let plain: Packed
  let gateway: string
  let load: Load
  let bad: string
  before(async () => {
    harbour = await openHarbour()
    plain = await harbour.pack(3)
    const { folder } = harbour.place
    await writeShellBase(await openLayout(join(folder, '.regatta', 'oci')), plain.digest, join(folder, 'base'))
    copyFileSync(join(import.meta.dirname, 'moody-server.js'), join(folder, 'server.js'))
    harbour.configure({ replicas: 3, image: MOODY })
    await harbour.pack(5)
    gateway = (await harbour.regatta<{ readonly gateway: string }>(['deploy'])).gateway
    load = startLoad(`${gateway}/v1/models/linear:predict`, { instances: [[2]] }, [{ predictions: [[6]] }])
    bad = (await readReplicas())[0]?.name ?? ''
  })
  after(async () => {
    await load?.[Symbol.asyncDispose]()
    await harbour?.[Symbol.asyncDispose]()
  })

  const podPath = (): string => `/api/v1/namespaces/${harbour.namespace}/pods/${bad}`

  async function readReplicas(): Promise<readonly Replica[]> {
    return (await harbour.regatta<StatusJson>(['status'])).variants[0]?.replicas ?? []
  }

  /** Tells one replica how to behave from now on. */
  async function spoil(mood: object): Promise<void> {
    const pod = await harbour.admin.ask('GET', podPath())
    const status = isObject(pod) && isObject(pod['status']) ? pod['status'] : {}
    const response = await fetch(`http://${status['podIP']}:8501/mood`, { method: 'POST', body: JSON.stringify(mood) })
    assert.equal(response.status, 200)
  }

  /** Waits until the one is named, which is ready; the others never are, but that a busy machine may make any slow. */
  async function untilNamed(code: string, prepare = async () => {}): Promise<string> {
    for (let looks = 1; ; looks += 1) {
      await prepare()
      const replicas = await readReplicas()
      const others = replicas.filter(({ name }) => name !== bad)
      const accused = others.filter(other => other.code === code && code !== 'P99_FAR_FROM_PEERS')
      assert.deepEqual(accused, [])
      const found = replicas.find(({ name }) => name === bad)
      if (found?.code === code && found.state === 'ready') return found.reason ?? ''
      assert.ok(looks < 60, `${JSON.stringify(found)} ${JSON.stringify(load.counts)}`)
      await sleep(500)
    }
  }

  /** Waits until kubectl shows an event of the gateway's Deployment. */
  async function untilDescribed(event: RegExp): Promise<void> {
    for (let looks = 1; ; looks += 1) {
      const args = ['--namespace', harbour.namespace, 'describe', 'deployment/linear-gateway']
      const { stdout, stderr } = spawnSync('kubectl', args, { encoding: 'utf8' })
      if (event.test(stdout)) return
      assert.ok(looks < 40, stdout + stderr)
      await sleep(500)
    }
  }

  it('is named for its p99, and kubectl describe tells of it', async () => {
    await spoil({ delayMs: 400, delayShare: 0.3 })
    assert.match(await untilNamed('P99_FAR_FROM_PEERS'), /its p99 of the last minute is \d+ ms, its peers' \d+ ms/)
    await untilDescribed(/Warning\s+ReplicaSlow\s.*regatta\s+.*\[P99_FAR_FROM_PEERS\]/)
  })

  it('is named for its errors', async () => {
    await spoil({ delayShare: 0, failShare: 0.3 })
    assert.match(await untilNamed('ERRORS_FAR_FROM_PEERS'), /% of its requests of the last minute failed.*regatta logs/)
    await spoil({ failShare: 0 })
  })

  it('is named for what its predictions lose, once their truths are there', async () => {
    await spoil({ weight: 4 })
    const reason = await untilNamed('LOSS_FAR_FROM_PEERS', async () => {
      const answers = await askMany(gateway, 1, 200)
      const truths = answers.map(({ prediction }, index) => ({ prediction, value: 3.01 * (index + 1) }))
      const file = join(harbour.place.folder, 'truths.json')
      writeFileSync(file, JSON.stringify(truths))
      await harbour.regatta(['truth', file])
    })
    assert.match(reason, /loses more than its peers on \d+ % of \d+ pairs.*mean loss/)
  })

  it('is named when it runs another image than its variant, to one who watches, too', async () => {
    const watching = harbour.place.run(['status', '--watch'], { interruptAt: /VERSION_SKEW/ })
    const image = `${process.env['REGATTA_TEST_REGISTRY']}/${harbour.namespace}/linear@${plain.digest}`
    await harbour.admin.ask('PATCH', podPath(), {
      body: { spec: { containers: [{ name: 'server', image }] } },
      type: 'application/strategic-merge-patch+json',
    })
    assert.match(await untilNamed('VERSION_SKEW'), new RegExp(`runs image ${plain.digest}.*kubectl delete pod ${bad}`))
    const { code, out } = await watching
    assert.equal(code, 130)
    assert.match(out, /VERSION_SKEW/)
    await harbour.admin.ask('DELETE', podPath())
    for (let looks = 1; ; looks += 1) {
      const replicas = await readReplicas()
      if (replicas.length === 3 && replicas.every(({ state, code }) => state === 'ready' && code !== 'VERSION_SKEW'))
        break
      assert.ok(looks < 60, JSON.stringify(replicas))
      await sleep(500)
    }
    await untilDescribed(/Normal\s+ReplicaRecovered\s.*regatta\s+.*\[VERSION_SKEW\] is over/)
  })
})
