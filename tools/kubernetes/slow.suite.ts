import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusJson } from '../../src/control/index.ts'
import { type Load, startLoad } from './load.ts'
import { type Harbour, openHarbour } from './namespace.ts'

const SERVE = `autoscale: { min: 1, max: 2, cpu: 20% },
    resources: { requests: { cpu: 40m, memory: 96Mi }, limits: { cpu: 60m, memory: 256Mi } }`

describe('a replica that gets too little CPU', () => {
  let harbour: Harbour
  let load: Load
  before(async () => {
    harbour = await openHarbour({ serve: SERVE })
    await harbour.pack(3)
    const { gateway } = await harbour.regatta<{ readonly gateway: string }>(['deploy'])
    load = startLoad(`${gateway}/v1/models/linear:predict`, { instances: [[2]] }, [{ predictions: [[6]] }])
  })
  after(async () => {
    await load?.[Symbol.asyncDispose]()
    await harbour?.[Symbol.asyncDispose]()
  })

  type Replicas = StatusJson['variants'][number]['replicas']
  async function readReplicas(): Promise<Replicas> {
    return (await harbour.regatta<StatusJson>(['status'])).variants[0]?.replicas ?? []
  }

  async function until(isSo: (replicas: Replicas) => boolean): Promise<Replicas> {
    for (let looks = 1; ; looks += 1) {
      const replicas = await readReplicas()
      if (isSo(replicas)) return replicas
      assert.ok(looks < 90, JSON.stringify({ replicas, load: load.counts }))
      await sleep(1000)
    }
  }

  it('is named for its limit, while it is ready', async () => {
    const isThrottled = ({ code }: Replicas[number]): boolean => code === 'CPU_THROTTLED'
    const replica = (await until(replicas => replicas.some(isThrottled))).find(isThrottled)
    assert.equal(replica?.state, 'ready')
    assert.match(replica.reason ?? '', /\d+ % of its periods.*serve\.resources\.limits\.cpu/)
  })

  it('gets another beside it where the project scales by load, which the next deployment leaves', async () => {
    await until(replicas => replicas.filter(({ state }) => state === 'ready').length === 2)
    await harbour.regatta(['deploy'])
    assert.equal((await readReplicas()).length, 2)
    assert.deepEqual(load.counts.failures, [])
  })

  it('is scaled by nobody once the project says so no more', async () => {
    const path = `/apis/autoscaling/v2/namespaces/${harbour.namespace}/horizontalpodautoscalers/linear-a-1`
    assert.ok(await harbour.admin.ask('GET', path))
    harbour.configure({ replicas: 2 })
    await harbour.regatta(['deploy'])
    assert.equal(await harbour.admin.ask('GET', path), undefined)
  })
})
