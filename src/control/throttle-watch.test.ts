import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { watchThrottling } from './throttle-watch.node.ts'

describe('watchThrottling()', () => {
  it('tells the share between two looks, of replicas that say so', async () => {
    let periods = 100
    const server = createServer((_, response) => {
      periods += 100
      response.end(
        `container_cpu_cfs_periods_total ${periods}\ncontainer_cpu_cfs_throttled_periods_total ${periods / 2}\n`,
      )
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const base = {
      variant: 1,
      pid: undefined,
      restarts: 0,
      grpcUrl: undefined,
      health: { state: 'ready', since: 0 },
    } as const
    const replicas = [
      { ...base, name: 'told', url },
      { ...base, name: 'away', url: 'http://127.0.0.1:1' },
    ]
    try {
      const found = await new Promise<ReadonlyMap<string, number>>(done => {
        const watch = watchThrottling({
          periodMs: 20,
          readReplicas: () => replicas,
          onLook(throttled) {
            if (throttled.size === 0) return
            watch[Symbol.dispose]()
            done(throttled)
          },
        })
      })
      assert.deepEqual([...found], [['told', 0.5]])
    } finally {
      server.close()
    }
  })
})
