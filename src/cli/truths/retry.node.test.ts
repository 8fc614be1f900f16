import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RegattaError } from '../../core/errors.ts'
import { withRetries } from './retry.node.ts'

const never = new AbortController().signal
const toError = (retryable: boolean): RegattaError => new RegattaError('AWAY', 'away', { retryable })

describe('withRetries()', () => {
  it('tries again, after longer pauses, what may pass', async () => {
    const pauses: number[] = []
    let tries = 0
    const act = async (): Promise<number> => {
      tries += 1
      if (tries < 3) throw toError(true)
      return tries
    }
    assert.equal(await withRetries(act, async (_, pauseMs) => void pauses.push(pauseMs), never), 3)
    assert.equal(pauses.length, 2)
    assert.ok(pauses.every((pauseMs, index) => pauseMs >= 100 * 2 ** index && pauseMs <= 200 * 2 ** index))
  })

  it('fails at once with what cannot pass', async () => {
    let tries = 0
    const act = async (): Promise<never> => {
      tries += 1
      throw toError(false)
    }
    await assert.rejects(
      withRetries(act, async () => {}, never),
      { code: 'AWAY' },
    )
    assert.equal(tries, 1)
  })

  it('stops waiting with the signal', async () => {
    const stop = new AbortController()
    const act = async (): Promise<never> => {
      throw toError(true)
    }
    await assert.rejects(
      withRetries(act, async () => stop.abort(), stop.signal),
      { name: 'AbortError' },
    )
  })
})
