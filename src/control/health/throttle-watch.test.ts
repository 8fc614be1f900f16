import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import type { ReplicaState } from '../../deploy/index.ts'
import { watchThrottling } from './throttle-watch.node.ts'

describe('watchThrottling()', () => {
  /** Looks at replicas until something is told of one, whose metrics begin with half of its periods throttled. */
  async function findThrottled(
    end: (response: ServerResponse) => void,
    others: readonly Pick<ReplicaState, 'name' | 'url'>[] = [],
  ): Promise<ReadonlyMap<string, number>> {
    let periods = 100
    const server = createServer((_, response) => {
      periods += 100
      response.write(
        `container_cpu_cfs_periods_total ${periods}\ncontainer_cpu_cfs_throttled_periods_total ${periods / 2}\n`,
      )
      end(response)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const health = { state: 'ready', since: 0 } as const
    const base = { variant: 1, pid: undefined, restarts: 0, grpcUrl: undefined, health }
    const replicas = [{ name: 'told', url }, ...others].map(one => ({ ...base, ...one }))
    try {
      return await new Promise(done => {
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
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }

  it('tells the share between two looks, of replicas that say so', async () => {
    const away = { name: 'away', url: 'http://127.0.0.1:1' }
    const found = await findThrottled(response => response.end(), [away])
    assert.deepEqual([...found], [['told', 0.5]])
  })

  it('tells nothing by a few periods', async () => {
    let periods = 100
    const server = createServer((_, response) => {
      periods += 10
      response.end(`container_cpu_cfs_periods_total ${periods}\ncontainer_cpu_cfs_throttled_periods_total ${periods}\n`)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const health = { state: 'ready', since: 0 } as const
    const replica = { name: 'few', url, variant: 1, pid: undefined, restarts: 0, grpcUrl: undefined, health }
    const found: number[] = []
    await new Promise<void>(done => {
      const watch = watchThrottling({
        periodMs: 5,
        readReplicas: () => [replica],
        onLook(throttled) {
          if (found.push(throttled.size) < 4) return
          watch[Symbol.dispose]()
          done()
        },
      })
    })
    server.closeAllConnections()
    server.close()
    assert.deepEqual(found, [0, 0, 0, 0])
  })

  it('reads no more than the start of metrics without end', async () => {
    const line = `${'#'.repeat(65_535)}\n`
    const found = await findThrottled(response => {
      const more = (): void => {
        while (!response.destroyed && response.write(line));
      }
      response.on('drain', more)
      more()
    })
    assert.deepEqual([...found], [['told', 0.5]])
  })
})
