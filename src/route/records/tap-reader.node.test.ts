import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PredictionRecord } from '../../core/wire/records.ts'
import { type Tap, type TapContent, toTapBody } from './tap.ts'
import { TapReader } from './tap-reader.node.ts'

const toTap = (answer: string, more: Partial<TapContent> = {}): Tap => ({
  head: {
    request: '0198c6f0-0000-7000-8000-000000000001',
    ...{ at: 1, variant: 1, epoch: 1, served: true, propensity: 1, status: 200, latencyUs: 1, replica: 'a-1' },
  },
  content: {
    ...{ status: 200, protocol: 'v1', capture: { prediction: '[0]' } },
    ...{ series: undefined, at: undefined, entity: undefined, request: undefined, problem: undefined },
    answer: toTapBody(Buffer.from(answer), {}),
    ...more,
  },
})
const rowsOf = (lines: readonly string[]): unknown =>
  lines.map(line => {
    const { error, rows } = JSON.parse(line) as PredictionRecord
    return error ?? rows.map(row => row.prediction)
  })

describe('TapReader', () => {
  it('reads taps in order, each by its own capture', async () => {
    await using reader = new TapReader({ maxBodyBytes: 1000, logger: console })
    const request = toTapBody(Buffer.from('{"instances":[{}]}'), {})
    const { lines, unlabelled } = await reader.read([
      toTap('{"predictions":[[1]]}'),
      toTap('{"predictions":[{"y":2}]}', { capture: { prediction: 'y', series: 's' }, request }),
      toTap('', { answer: undefined, problem: 'refused' }),
      toTap('{"predictions":[[3],[4]]}'),
      toTap('{"predictions":[[5]]}', { capture: { prediction: '[' } }),
    ])
    const [one, two, three, four, five] = rowsOf(lines) as unknown[]
    assert.deepEqual([one, two, three, four], [[1], [2], 'refused', [3, 4]])
    assert.match(String(five), /Cannot use "\[" as the path to the prediction/)
    assert.equal(unlabelled, 1)
  })

  it('records what its thread had in hand when it died, and starts another', async () => {
    const log: string[] = []
    const write = (_detail: unknown, text?: unknown): void => void log.push(String(text))
    const logger = { info: write, warn: write, error: write }
    const code = "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => process.exit(3))"
    const entry = new URL(`data:text/javascript,${encodeURIComponent(code)}`)
    await using reader = new TapReader({ maxBodyBytes: 1000, logger, entry })
    for (let count = 0; count < 2; count++) {
      const { lines } = await reader.read([toTap('{"predictions":[[1]]}')])
      assert.deepEqual(rowsOf(lines), ['Cannot record the answer: the thread ended with code 3'])
    }
    assert.equal(log.length, 2)
  })

  it('reads what its thread had in hand itself once it is ended', async () => {
    await using reader = new TapReader({ maxBodyBytes: 1000, logger: console })
    const reading = reader.read([toTap('{"predictions":[[1]]}')])
    await reader.endThread()
    assert.deepEqual(rowsOf((await reading).lines), [[1]])
    assert.deepEqual(rowsOf((await reader.read([toTap('{"predictions":[[2]]}')])).lines), [[2]])
  })
})
