import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { acquireLease, type HeldLease } from './lease.node.ts'
import { type LeaseApi, toLeaseApi } from './testing/leases.ts'

/** Nothing expires while a test lasts, unless that is what it is about. */
const PATIENT = { durationMs: 60_000, deadlineMs: 40_000, retryMs: 20 }
const HASTY = { durationMs: 300, deadlineMs: 200, retryMs: 20 }

describe('acquireLease()', () => {
  let api: LeaseApi
  let end: AbortController
  const held: HeldLease[] = []
  beforeEach(() => {
    api = toLeaseApi()
    end = new AbortController()
  })
  afterEach(async () => {
    end.abort()
    for (const lease of held.splice(0)) await lease[Symbol.asyncDispose]()
  })

  async function acquire(
    holder: string,
    onLeader: (address: string | undefined) => void = () => {},
    timings = PATIENT,
  ): Promise<HeldLease> {
    const own = { kube: api.kube, deployment: 'm', holder, address: `${holder}.example`, onLeader, onAway: () => {} }
    const lease = await acquireLease({ ...own, timings }, end.signal)
    held.push(lease)
    return lease
  }

  it('gives it to one of two, and tells the other where that one is', async () => {
    await acquire('one')
    const leaders = await new Promise<string | undefined>(done => {
      acquire('two', done).catch(() => {})
    })
    assert.equal(leaders, 'one.example')
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
    await new Promise(done => setTimeout(done, 10 * PATIENT.retryMs))
    assert.deepEqual(won, [api.holder()])
  })

  it('is lost by one that cannot renew it, and goes to another that can', async () => {
    const one = await acquire('one', undefined, HASTY)
    const lost = new Promise(done => one.lost.addEventListener('abort', done))
    api.away = true
    await lost
    api.away = false
    await acquire('two', undefined, HASTY)
    assert.equal(api.holder(), 'two')
    await one[Symbol.asyncDispose]()
    assert.equal(api.holder(), 'two')
  })

  it('is taken up again by the same one, as after a restart of its container', async () => {
    await acquire('one')
    await acquire('one')
    assert.equal(api.holder(), 'one')
  })
})
