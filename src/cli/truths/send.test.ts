import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TruthResponseJson } from '../../control/index.ts'
import { RegattaError } from '../../core/errors.ts'
import type { TruthRow } from './row.ts'
import { type SendOptions, sendTruths, type TruthProblem } from './send.ts'

const none = { new: 0, duplicate: 0, revised: 0, stale: 0, conflict: 0, orphan: 0, refused: 0 }

async function* toRows(count: number): AsyncGenerator<TruthRow> {
  for (let number = 1; number <= count; number++) yield { place: `line ${number}`, truth: number }
}

/** Control as it answers a batch of numbers: those that it is told are wrong are left out. */
const toAnswer = (batch: readonly unknown[], wrong: readonly number[] = []): TruthResponseJson => {
  const problems = batch.flatMap((truth, index) =>
    wrong.includes(Number(truth)) ? [{ place: `truth ${index}`, message: `field "value" of truth ${index}: no` }] : [],
  )
  const counts = { ...none, new: batch.length - problems.length, refused: problems.length }
  return { schema: 'regatta/truth/v1', ...counts, problems }
}

const toOptions = (more: Partial<SendOptions>): SendOptions => ({
  send: async batch => toAnswer(batch),
  onError: 'stop',
  onProblem: () => {},
  onProgress: () => {},
  ...more,
})
const never = new AbortController().signal

describe('sendTruths()', () => {
  it('sends everything once, in batches, at most four at once', async () => {
    const seen: number[] = []
    let [now, most] = [0, 0]
    const send = async (batch: readonly unknown[]): Promise<TruthResponseJson> => {
      most = Math.max(most, ++now)
      await new Promise(resolve => setImmediate(resolve))
      now -= 1
      seen.push(...batch.map(Number))
      return toAnswer(batch)
    }
    const totals = await sendTruths(toRows(9500), toOptions({ send }), never)
    assert.deepEqual(totals, { ...none, rows: 9500, new: 9500 })
    assert.equal(new Set(seen).size, 9500)
    assert.equal(most, 4)
  })

  it('does not read ahead of what is on its way', async () => {
    let read = 0
    async function* rows(): AsyncGenerator<TruthRow> {
      for await (const row of toRows(20_000)) {
        read += 1
        yield row
      }
    }
    const release = Promise.withResolvers<void>()
    const send = async (batch: readonly unknown[]): Promise<TruthResponseJson> => {
      await release.promise
      return toAnswer(batch)
    }
    const sending = sendTruths(rows(), toOptions({ send }), never)
    for (let turns = 0; turns < 100; turns++) await new Promise(resolve => setImmediate(resolve))
    assert.equal(read, 5000)
    release.resolve()
    assert.equal((await sending).rows, 20_000)
  })

  it('stops at a row that control refuses, and names it as the file does', async () => {
    const send = async (batch: readonly unknown[]) => toAnswer(batch, [1503])
    await assert.rejects(sendTruths(toRows(5000), toOptions({ send }), never), {
      code: 'TRUTH',
      message: /Cannot take line 1503: field "value" of line 1503/,
    })
  })

  it('leaves out what is wrong, here or at control, and counts it', async () => {
    const problems: TruthProblem[] = []
    async function* rows(): AsyncGenerator<TruthRow> {
      yield { place: 'line 2', problem: 'it has no value' }
      yield* toRows(1500)
    }
    const send = async (batch: readonly unknown[]) => toAnswer(batch, [7, 1200])
    const options = toOptions({ send, onError: 'skip', onProblem: problem => problems.push(problem) })
    const totals = await sendTruths(rows(), options, never)
    assert.deepEqual([totals.rows, totals.new, totals.refused], [1501, 1498, 3])
    assert.deepEqual(
      problems.map(({ place }) => place),
      ['line 2', 'line 7', 'line 1200'],
    )
  })

  it('fails with a batch that failed, whenever that was, and tells how far it came', async () => {
    let rows = 0
    const send = async (batch: readonly unknown[]): Promise<TruthResponseJson> => {
      if (batch.includes(1)) throw new RegattaError('CONTROL_AWAY', 'gone')
      return toAnswer(batch)
    }
    const options = toOptions({ send, onProgress: totals => (rows = totals.rows) })
    await assert.rejects(sendTruths(toRows(3000), options, never), { code: 'CONTROL_AWAY' })
    assert.ok(rows < 3000, String(rows))
  })

  it('ends with the signal', async () => {
    const stop = new AbortController()
    const send = async (batch: readonly unknown[]): Promise<TruthResponseJson> => {
      stop.abort(new Error('interrupted'))
      return toAnswer(batch)
    }
    await assert.rejects(sendTruths(toRows(50_000), toOptions({ send }), stop.signal), { message: 'interrupted' })
  })
})
