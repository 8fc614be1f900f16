import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../core/testing/wait.ts'
import { acquireLease, type HeldLease, type LeaseOptions } from './lease.node.ts'
import { type LeaseApi, type Line, toLeaseApi } from './testing/leases.ts'

/** Nothing expires while a test lasts, unless that is what it is about. */
const PATIENT = { durationMs: 60_000, deadlineMs: 40_000, retryMs: 20 }
const HASTY = { durationMs: 300, deadlineMs: 200, retryMs: 20 }

describe('acquireLease()', () => {
  let api: LeaseApi
  let line: Line
  let end: AbortController
  const held: HeldLease[] = []
  beforeEach(() => {
    api = toLeaseApi()
    line = api.openLine()
    end = new AbortController()
  })
  afterEach(async () => {
    end.abort()
    for (const lease of held.splice(0)) await lease[Symbol.asyncDispose]()
  })

  async function acquire(holder: string, options: Partial<LeaseOptions> = {}): Promise<HeldLease> {
    const own = { kube: line.kube, deployment: 'm', holder, address: `${holder}.example`, timings: PATIENT }
    const lease = await acquireLease({ ...own, onLeader: () => {}, onAway: () => {}, ...options }, end.signal)
    held.push(lease)
    return lease
  }

  /** Whom one that wants it is told of first. */
  async function findLeader(holder: string, address?: string): Promise<string | undefined> {
    return await new Promise(onLeader => {
      acquire(holder, { onLeader, ...(address !== undefined && { address }) }).catch(() => {})
    })
  }

  it('gives it to one of two, and tells the other where that one is', async () => {
    await acquire('one')
    assert.equal(await findLeader('two'), 'one.example')
    assert.equal(api.holder(), 'one')
  })

  it('tells of nobody where the one that has it had the same address', async () => {
    await acquire('one')
    assert.equal(await findLeader('two', 'one.example'), undefined)
    assert.equal(api.holder(), 'one')
  })

  it('gives it to the next once it is given back', async () => {
    const one = await acquire('one')
    const two = acquire('two')
    await one[Symbol.asyncDispose]()
    await two
    assert.equal(api.holder(), 'two')
  })

  it('gives it to one alone where many want it at once', async () => {
    const won: string[] = []
    for (const name of ['a', 'b', 'c', 'd'])
      acquire(name).then(
        () => won.push(name),
        () => {},
      )
    await until(() => won.length > 0)
    await sleep(10 * PATIENT.retryMs)
    assert.deepEqual(won, [api.holder()])
  })

  it('is lost by one that cannot renew it, and goes to another that can', async () => {
    const one = await acquire('one', { timings: HASTY })
    const lost = new Promise(done => one.lost.addEventListener('abort', done))
    line.state = 'down'
    await lost
    line.state = 'up'
    await acquire('two', { timings: HASTY })
    assert.equal(api.holder(), 'two')
    await one[Symbol.asyncDispose]()
    assert.equal(api.holder(), 'two')
  })

  it('is lost before another may take it, though the last renewal hangs', async () => {
    const timings = { durationMs: 1500, deadlineMs: 1000, retryMs: 20 }
    const one = await acquire('one', { timings })
    line.state = 'down'
    const taken = acquire('two', { timings, kube: api.openLine().kube })
    await sleep(800)
    line.state = 'silent'
    await taken
    assert.equal(one.lost.aborted, true)
  })

  it('is taken again where the answer to the taking got lost', async () => {
    line.state = 'deaf'
    const onAway = (): void => {
      line.state = 'up'
    }
    await acquire('one', { timings: HASTY, onAway })
    assert.equal(api.holder(), 'one')
  })

  it('is taken up again by the same one, as after a restart of its container', async () => {
    await acquire('one')
    await acquire('one')
    assert.equal(api.holder(), 'one')
  })
})
