import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusJson } from '../../src/control/index.ts'
import { startLoad } from './load.ts'
import { type Harbour, openHarbour } from './namespace.ts'

describe('a replica that performs poorly', () => {
  let harbour: Harbour
  before(async () => {
    const serve = 'resources: { requests: { cpu: 20m, memory: 96Mi }, limits: { cpu: 40m, memory: 256Mi } }'
    harbour = await openHarbour({ serve })
    await harbour.pack(3)
  })
  after(async () => await harbour?.[Symbol.asyncDispose]())

  it('is named for its CPU limit, while it is ready', async () => {
    const { gateway } = await harbour.regatta<{ readonly gateway: string }>(['deploy'])
    await using load = startLoad(`${gateway}/v1/models/linear:predict`, { instances: [[2]] }, [{ predictions: [[6]] }])
    for (let looks = 1; ; looks += 1) {
      const { variants } = await harbour.regatta<StatusJson>(['status'])
      const [replica] = variants[0]?.replicas ?? []
      if (replica?.code === 'CPU_THROTTLED') {
        assert.equal(replica.state, 'ready')
        assert.match(replica.reason ?? '', /\d+ % of its periods.*serve\.resources\.limits\.cpu/)
        break
      }
      assert.ok(looks < 60, JSON.stringify({ replica, load: load.counts }))
      await sleep(1000)
    }
  })
})

describe('a variant that is scaled by its load', () => {
  let harbour: Harbour
  before(async () => {
    const serve =
      'autoscale: { min: 1, max: 2, cpu: 20% }, resources: { requests: { cpu: 50m, memory: 96Mi }, limits: { memory: 256Mi } }'
    harbour = await openHarbour({ serve })
    await harbour.pack(3)
  })
  after(async () => await harbour?.[Symbol.asyncDispose]())

  it('gets another replica, which the next deployment leaves', async () => {
    const { gateway } = await harbour.regatta<{ readonly gateway: string }>(['deploy'])
    await using load = startLoad(`${gateway}/v1/models/linear:predict`, { instances: [[2]] }, [{ predictions: [[6]] }])
    for (let looks = 1; ; looks += 1) {
      const { variants } = await harbour.regatta<StatusJson>(['status'])
      if (variants[0]?.replicas.filter(({ state }) => state === 'ready').length === 2) break
      assert.ok(looks < 90, JSON.stringify({ variants, load: load.counts }))
      await sleep(1000)
    }
    await harbour.regatta(['deploy'])
    const { variants } = await harbour.regatta<StatusJson>(['status'])
    assert.equal(variants[0]?.replicas.length, 2)
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
