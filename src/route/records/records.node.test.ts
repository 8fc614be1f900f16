import assert from 'node:assert/strict'
import { appendFile, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startControl } from '../testing/control.ts'
import { startTestGateway, type TestGateway, toRoutes, until, untilText } from '../testing/gateway.ts'
import { predicting, sendJson, startServer } from '../testing/upstream.ts'

const predictMany = async (gateway: TestGateway, count: number): Promise<readonly string[]> => {
  const replies = await Promise.all(Array.from({ length: count }, () => gateway.predict()))
  assert.ok(replies.every(reply => reply.status === 200))
  return replies.map(reply => reply.headers.get('x-regatta-prediction') ?? '').sort()
}
const toPort = (url: string): number => Number(new URL(url).port)

describe('Recorder', () => {
  it('hands over what was predicted, with whom, when and how it was chosen', async () => {
    await using a = await startServer(predicting(4))
    await using control = await startControl()
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }], { epoch: 7 })
    await using gateway = await startTestGateway({ routes, controlUrl: control.url, clock: () => 1_800_000_000_000 })
    const reply = await gateway.predict({ 'x-regatta-entity': 'e-1' })
    await until(() => control.records.length === 1)
    const [{ latencyUs, ...record } = { latencyUs: 0 }] = control.records
    assert.ok(latencyUs > 0)
    assert.deepEqual(record, {
      request: reply.headers.get('x-regatta-prediction'),
      at: 1_800_000_000_000,
      variant: 1,
      epoch: 7,
      served: true,
      propensity: 1,
      status: 200,
      replica: 'a-1',
      entity: 'e-1',
      rows: [{ prediction: 4 }],
    })
  })

  it('spools while control is away, and hands over each prediction once when it is back', async () => {
    await using a = await startServer(predicting(1))
    const first = await startControl()
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using gateway = await startTestGateway({ routes, controlUrl: first.url })
    const before = await predictMany(gateway, 20)
    await until(() => first.records.length === 20)
    await first[Symbol.asyncDispose]()
    const during = await predictMany(gateway, 520)
    await untilText(gateway.metrics, /records_total\{state="spooled"\} 520/)
    await using second = await startControl({ port: toPort(first.url) })
    const later = await predictMany(gateway, 20)
    await until(() => second.records.length === 540)
    assert.deepEqual(second.records.map(record => record.request).sort(), [...during, ...later].sort())
    assert.deepEqual(first.records.map(record => record.request).sort(), before)
    assert.equal(second.dropped, 0)
    await until(async () => (await stat(join(gateway.folder, 'spool.ndjson'))).size === 0)
    assert.ok(gateway.log.some(line => line.startsWith('Control takes records again')))
  })

  it('does not wait where a whole batch is there', async () => {
    await using a = await startServer(predicting(1))
    await using control = await startControl()
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using gateway = await startTestGateway({ routes, controlUrl: control.url, limits: { flushEveryMs: 600_000 } })
    for (let count = 0; count < 10; count++) await predictMany(gateway, 50)
    await until(() => control.records.length === 500)
  })

  it('keeps the spool over a restart, and skips half a line of a killed process', async () => {
    await using a = await startServer(predicting(1))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using first = await startTestGateway({ routes })
    const { folder } = first
    const ids = await predictMany(first, 30)
    await first.stop()
    await appendFile(join(folder, 'spool.ndjson'), '{"request":"0')
    await using control = await startControl()
    await using second = await startTestGateway({ folder, controlUrl: control.url })
    await until(() => control.records.length === 30)
    assert.deepEqual(control.records.map(record => record.request).sort(), ids)
    await untilText(second.metrics, /records_total\{state="dropped"\} 1/)
  })

  it('drops and counts what the full spool has no room for, and tells control how many', async () => {
    await using a = await startServer(predicting(1))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    const gone = await startControl()
    await gone[Symbol.asyncDispose]()
    const port = toPort(gone.url)
    await using gateway = await startTestGateway({ routes, controlUrl: gone.url, limits: { maxSpoolBytes: 2_000 } })
    await predictMany(gateway, 100)
    await untilText(gateway.metrics, /records_total\{state="dropped"\} 9\d/)
    const size = (await stat(join(gateway.folder, 'spool.ndjson'))).size
    assert.ok(size > 1_000 && size <= 2_000, String(size))
    await using control = await startControl({ port })
    await until(() => control.records.length > 0)
    await predictMany(gateway, 1)
    await until(() => control.dropped + control.records.length === 101)
  })

  it('leaves the rows out, and counts it, where its memory has room for little more', async () => {
    await using a = await startServer(predicting(1))
    await using control = await startControl()
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    const limits = { maxPendingBytes: 6_000, flushEveryMs: 600_000 }
    await using gateway = await startTestGateway({ routes, controlUrl: control.url, limits })
    await predictMany(gateway, 11)
    await untilText(gateway.metrics, /untapped_total\{reason="memory-full"\} [1-9]/)
  })

  it('drops and counts what its memory has no room for', async () => {
    await using a = await startServer(predicting(1))
    await using control = await startControl()
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    const limits = { maxPendingBytes: 1 }
    await using gateway = await startTestGateway({ routes, controlUrl: control.url, limits })
    await predictMany(gateway, 20)
    await untilText(gateway.metrics, /records_total\{state="dropped"\} 20/)
    assert.equal(control.records.length, 0)
  })

  it('does not let a record that control refuses spoil the others', async () => {
    await using a = await startServer(predicting(1))
    let poison = ''
    await using control = await startControl({
      onBatch(seen, response) {
        if (poison === '' || !seen.body.includes(poison)) return false
        sendJson(response, 400, { error: { code: 'RECORDS' } })
        return true
      },
    })
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using gateway = await startTestGateway({ routes, controlUrl: control.url, limits: { flushEveryMs: 200 } })
    const replies = predictMany(gateway, 30)
    const bad = await gateway.predict()
    poison = bad.headers.get('x-regatta-prediction') ?? ''
    const ids = await replies
    await untilText(gateway.metrics, /records_total\{state="dropped"\} 1/)
    await until(() => control.records.length === 30)
    assert.deepEqual(control.records.map(record => record.request).sort(), ids)
  })

  it('does not slow answers down while control hangs, and spools what it did not confirm', async () => {
    await using a = await startServer(predicting(1))
    await using control = await startControl({ onBatch: () => true })
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using gateway = await startTestGateway({ routes, controlUrl: control.url, limits: { controlTimeoutMs: 500 } })
    const startedAt = performance.now()
    for (let count = 0; count < 20; count++) await gateway.predict()
    // One that waited for control each time would take 10 s.
    assert.ok(performance.now() - startedAt < 9_000)
    await untilText(gateway.metrics, /records_total\{state="spooled"\} 20/)
  })

  it('hands over everything before it stops, or leaves it in the spool', async () => {
    await using a = await startServer(predicting(1))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using control = await startControl()
    await using gateway = await startTestGateway({ routes, controlUrl: control.url, limits: { flushEveryMs: 60_000 } })
    await sleep(30)
    const ids = await predictMany(gateway, 50)
    await gateway.stop()
    assert.deepEqual(control.records.map(record => record.request).sort(), ids)

    await using hanging = await startControl({ onBatch: () => true })
    await using other = await startTestGateway({ routes, controlUrl: hanging.url, limits: { flushMs: 200 } })
    const spooled = await predictMany(other, 50)
    await other.stop()
    const lines = (await readFile(join(other.folder, 'spool.ndjson'), 'utf8')).trimEnd().split('\n')
    assert.deepEqual(lines.map(line => String(JSON.parse(line).request)).sort(), spooled)
  })

  it('takes control that answers with errors for away', async () => {
    await using a = await startServer(predicting(1))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using control = await startControl({ token: 'another' })
    await using gateway = await startTestGateway({ routes, controlUrl: control.url })
    await predictMany(gateway, 5)
    await untilText(gateway.metrics, /records_total\{state="spooled"\} 5/)
    assert.ok(gateway.log.some(line => line.includes('control answered 401')))
    assert.ok(!gateway.log.join().includes('secret-token'))
  })

  it('reads series and time out of the request, and counts the rows that lack them', async () => {
    await using a = await startServer((_seen, response) => sendJson(response, 200, { predictions: [[1], [2]] }))
    await using control = await startControl()
    const capture = { prediction: '[0]', series: 's', at: 't' }
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }], { capture })
    await using gateway = await startTestGateway({ routes, controlUrl: control.url })
    const body = JSON.stringify({ instances: [{ s: 'x', t: 5 }, { s: 'y' }] })
    await fetch(`${gateway.url}/v1/models/m:predict`, { method: 'POST', body })
    await until(() => control.records.length === 1)
    assert.deepEqual(control.records[0]?.rows, [
      { prediction: 1, series: 'x', at: 5 },
      { prediction: 2, series: 'y' },
    ])
    assert.match(await gateway.metrics(), /unlabelled_rows_total 1/)
  })
})
