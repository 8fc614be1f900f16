import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parquetReadObjects } from 'hyparquet'
import type { OutcomeJson } from '../../control/index.ts'
import { writeParquet } from './parquet.node.ts'

const outcome: OutcomeJson = {
  ...{ request: '01920000-0000-7000-8000-000000000001', row: 2, variant: 'b', version: 7 },
  ...{ at: '2026-01-31T12:00:00.000Z', series: 'meter "7"', targetAt: '2026-02-01T00:00:00.000Z' },
  ...{ prediction: 1.5, truth: 2, loss: null, served: false, propensity: 0.25, epoch: 3 },
  ...{ input: null, output: null },
  ...{ entity: 'e', covariate: 0.5, pinned: false, champion: false },
}

async function roundTrip(outcomes: readonly OutcomeJson[]): Promise<readonly Record<string, unknown>[]> {
  const chunks: Uint8Array[] = []
  async function* source(): AsyncGenerator<OutcomeJson> {
    yield* outcomes
  }
  await writeParquet(source(), async bytes => void chunks.push(bytes))
  const bytes = new Uint8Array(Buffer.concat(chunks))
  return await parquetReadObjects({ file: bytes.buffer })
}

describe('writeParquet()', () => {
  const cases: readonly (readonly [string, Partial<OutcomeJson>])[] = [
    ['numbers', {}],
    ['texts', { prediction: 'spam', truth: 'ham' }],
    ['booleans', { prediction: true, truth: false }],
    ['lists, and a number', { prediction: [0.1, 0.9], truth: 1 }],
    ['logged rows', { input: { customer: { age: 41 } }, output: [1, null, 'x'] }],
    ['lists of one and of none', { prediction: [0.5], truth: [] }],
  ]
  for (const [name, more] of cases) {
    it(`keeps ${name}`, async () => {
      const written = { ...outcome, ...more }
      const [read] = await roundTrip([written, written])
      const { targetAt: _, ...rest } = written
      const instants = { at: new Date('2026-01-31T12:00:00Z'), target_at: new Date('2026-02-01T00:00:00Z') }
      assert.deepEqual({ ...read }, { ...rest, ...instants })
    })
  }

  it('writes a file without rows', async () => assert.deepEqual(await roundTrip([]), []))

  it('refuses a value of another kind than the first', async () => {
    await assert.rejects(roundTrip([outcome, { ...outcome, prediction: 'spam' }]), {
      code: 'EXPORT_KIND',
      message: /the prediction of 01920000-0000-7000-8000-000000000001\/2: a text after a number/,
    })
  })
})
