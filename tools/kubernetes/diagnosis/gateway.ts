import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusJson } from '../../../src/control/index.ts'
import { type Harbour, openHarbour } from '../namespace.ts'

/** A balancer of a kind that no cluster has. */
const NO_BALANCER = '{ kind: Service, part: gateway, patch: { spec: { loadBalancerClass: example.com/nobody } } }'
const STRATEGIC = 'application/strategic-merge-patch+json'

/** A gateway that clients cannot reach is named with its reason. */
export function tellOfGateway(): void {
  let harbour: Harbour
  before(async () => {
    harbour = await openHarbour({ kubernetes: `overlay: [${NO_BALANCER}]` })
    await harbour.pack(3)
  })
  after(async () => await harbour?.[Symbol.asyncDispose]())

  async function untilCode(code: string): Promise<string> {
    for (let looks = 1; ; looks += 1) {
      const { gateway, ready } = await harbour.regatta<StatusJson>(['status'])
      if (gateway.process.code === code) {
        assert.equal(ready, false)
        return gateway.process.reason ?? ''
      }
      assert.ok(looks < 80, `${code} wanted, found ${gateway.process.code}`)
      await sleep(1000)
    }
  }

  it('has no address, since nothing gives it one', async () => {
    await harbour.regatta(['deploy', '--no-wait'])
    assert.match(await untilCode('LOAD_BALANCER_PENDING'), /linear-gateway.*targets\.kubernetes\.expose/)
  })

  it('has a Service that leads nowhere', async () => {
    harbour.configure({ kubernetes: 'expose: ClusterIP' })
    await harbour.admin.ask('DELETE', `/api/v1/namespaces/${harbour.namespace}/services/linear-gateway`)
    await harbour.regatta(['deploy'])
    await harbour.admin.ask('PATCH', `/api/v1/namespaces/${harbour.namespace}/services/linear-gateway`, {
      body: { spec: { selector: { nobody: 'here' } } },
      type: STRATEGIC,
    })
    assert.match(await untilCode('NO_ENDPOINTS'), /linear-gateway leads to none of 2 ready pods.*--force-conflicts/)
    await harbour.regatta(['deploy', '--force-conflicts'])
  })
}
