import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RegattaError } from '../core/errors.ts'
import { Patience } from './patience.node.ts'

const away = (): RegattaError => new RegattaError('STORE_AWAY', 'Cannot reach the database', { retryable: true })

function open({ now = (): number => 0, maxBytes = 100, closing = new AbortController().signal } = {}): Patience {
  return new Patience({ clock: now, maxBytes, closing })
}

describe('Patience', () => {
  it('tries again until the database is back', async () => {
    let tries = 0
    const patience = open()
    const work = async (): Promise<string> => {
      tries += 1
      if (tries < 3) throw away()
      return 'stored'
    }
    assert.equal(await patience.run(10, work), 'stored')
    assert.deepEqual([tries, patience.waitingBytes], [3, 0])
  })

  it('gives up after its time, with the error of the database', async () => {
    let now = 0
    const patience = open({
      now: () => {
        now += 3000
        return now
      },
    })
    await assert.rejects(
      patience.run(10, () => Promise.reject(away())),
      { code: 'STORE_AWAY', retryable: true },
    )
    assert.equal(patience.waitingBytes, 0)
  })

  it('refuses at once what its room does not hold', async () => {
    const closing = new AbortController()
    const patience = open({ closing: closing.signal })
    let tries = 0
    const work = (): Promise<never> => {
      tries += 1
      return Promise.reject(away())
    }
    const waiting = patience.run(80, work)
    waiting.catch(() => {})
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(patience.waitingBytes, 80)
    await assert.rejects(patience.run(30, work), { code: 'STORE_AWAY' })
    assert.equal(tries, 2)
    closing.abort()
    await assert.rejects(waiting, { code: 'STORE_AWAY' })
  })

  it('does not repeat what failed otherwise', async () => {
    let tries = 0
    const work = async (): Promise<never> => {
      tries += 1
      throw new RegattaError('STORE_FULL', 'full', { retryable: true })
    }
    await assert.rejects(open().run(1, work), { code: 'STORE_FULL' })
    assert.equal(tries, 1)
  })
})
