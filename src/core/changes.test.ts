import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Changes, watchStatus } from './changes.ts'

describe('watchStatus()', () => {
  const open = (status: number) => {
    const changes = new Changes()
    const stop = new AbortController()
    const leave = new AbortController()
    const at = { status }
    const read = (): number => at.status
    const source = { changing: changes, stopping: stop.signal }
    const statuses = watchStatus(source, read, status => Uint8Array.of(status), leave.signal)
    return { at, changes, stop, leave, next: async () => (await statuses.next()).value?.[0] }
  }

  it('tells what is so, and then each status that is another', async () => {
    const { at, changes, next } = open(1)
    assert.equal(await next(), 1)
    const second = next()
    changes.tell()
    at.status = 2
    changes.tell()
    assert.equal(await second, 2)
  })

  it('tells what changed while the last one was taken', async () => {
    const { at, changes, next } = open(1)
    await next()
    at.status = 2
    changes.tell()
    assert.equal(await next(), 2)
  })

  it('tells the last status when the server stops, and ends with its reason', async () => {
    const { at, stop, next } = open(1)
    await next()
    at.status = 2
    stop.abort(new Error('stopping'))
    assert.equal(await next(), 2)
    await assert.rejects(next(), /^Error: stopping$/)
  })

  it('ends when the client goes', async () => {
    const { leave, next } = open(1)
    await next()
    const last = next()
    leave.abort()
    assert.equal(await last, undefined)
  })
})
