import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSampled } from '../core/uuid.ts'
import { startControl } from './testing/control.ts'
import { startTestGateway, type TestGateway, toRoutes, untilText } from './testing/gateway.ts'
import { predicting, startServer } from './testing/upstream.ts'

const toSplit = (a: string, b: string, weightB: number, epoch = 1) =>
  toRoutes(
    [
      { id: 1, name: 'a', role: 'champion', urls: [a], weight: 1 - weightB },
      { id: 2, name: 'b', role: 'split', urls: [b], weight: weightB },
    ],
    { epoch },
  )

/** The same numbers within [0, 1) in every run. Source: Park and Miller 1988, the minimal standard generator. */
function toRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return (state - 1) / 2_147_483_646
  }
}

async function askEach(gateway: TestGateway, entities: readonly (string | undefined)[]): Promise<readonly string[]> {
  const variants: string[] = []
  for (let at = 0; at < entities.length; at += 20) {
    const replies = entities
      .slice(at, at + 20)
      .map(async entity => await gateway.predict(entity === undefined ? {} : { 'x-regatta-entity': entity }))
    for (const reply of await Promise.all(replies)) variants.push(reply.headers.get('x-regatta-variant') ?? '')
  }
  return variants
}

describe('predict()', () => {
  it('gives each variant the share of its weight, and records with what probability', async () => {
    await using a = await startServer(predicting(1))
    await using b = await startServer(predicting(2))
    await using control = await startControl()
    const routes = toSplit(a.url, b.url, 0.3)
    await using gateway = await startTestGateway({ routes, controlUrl: control.url, random: toRandom(7) })
    const variants = await askEach(gateway, Array(600).fill(undefined))
    const share = variants.filter(variant => variant === 'b').length / 600
    // Four standard deviations of a share of 600.
    assert.ok(Math.abs(share - 0.3) < 4 * Math.sqrt((0.3 * 0.7) / 600), String(share))
    await gateway.stop()
    assert.equal(control.records.length, 600)
    for (const record of control.records) {
      assert.ok(Math.abs(record.propensity - (record.variant === 2 ? 0.3 : 0.7)) < 1e-9)
      assert.deepEqual(record.rows, [{ prediction: record.variant }])
    }
  })

  it('keeps an entity with its variant, and moves none back when the challenger gets more', async () => {
    await using a = await startServer(predicting(1))
    await using b = await startServer(predicting(2))
    await using control = await startControl({ routes: toSplit(a.url, b.url, 0.2) })
    await using gateway = await startTestGateway({ controlUrl: control.url })
    await untilText(gateway.metrics, /routes_epoch 1/)
    const entities = Array.from({ length: 200 }, (_, index) => `entity ${index}`)
    const first = await askEach(gateway, entities)
    assert.deepEqual(await askEach(gateway, entities), first)
    const few = first.filter(variant => variant === 'b').length
    assert.ok(few >= 20 && few <= 62, String(few))
    control.publish(toSplit(a.url, b.url, 0.6, 2))
    await untilText(gateway.metrics, /routes_epoch 2/)
    const second = await askEach(gateway, entities)
    const many = second.filter(variant => variant === 'b').length
    assert.ok(many >= 92 && many <= 148, String(many))
    assert.ok(first.every((variant, index) => variant === 'a' || second[index] === 'b'))
  })

  it('records a share of the requests, the same ones of every variant', async () => {
    await using a = await startServer(predicting(1))
    await using b = await startServer(predicting(2))
    await using control = await startControl()
    const routes = toRoutes(
      [
        { id: 1, name: 'a', role: 'champion', urls: [a.url] },
        { id: 2, name: 'b', role: 'shadow', urls: [b.url] },
      ],
      { capture: { sample: 0.5 } },
    )
    await using gateway = await startTestGateway({ routes, controlUrl: control.url })
    await askEach(gateway, Array(100).fill(undefined))
    await gateway.stop()
    const of = (variant: number): readonly string[] =>
      control.records.filter(record => record.variant === variant).map(({ request }) => request)
    assert.ok(of(1).length > 20 && of(1).length < 80, String(of(1).length))
    assert.deepEqual(new Set(of(2)), new Set(of(1)))
    assert.ok(of(1).every(request => isSampled(request, 0.5)))
  })

  it('records the epoch that a request was routed by, though the routes change before its answer', async () => {
    const started = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    await using a = await startServer(async (seen, response) => {
      started.resolve()
      await released.promise
      return predicting(1)(seen, response)
    })
    await using b = await startServer(predicting(2))
    await using control = await startControl({ routes: toSplit(a.url, b.url, 0) })
    await using gateway = await startTestGateway({ controlUrl: control.url })
    await untilText(gateway.metrics, /routes_epoch 1/)
    const answer = gateway.predict({})
    await started.promise
    control.publish(toSplit(a.url, b.url, 0.5, 2))
    await untilText(gateway.metrics, /routes_epoch 2/)
    released.resolve()
    assert.equal((await answer).headers.get('x-regatta-variant'), 'a')
    await gateway.stop()
    assert.deepEqual(
      control.records.map(({ epoch, propensity }) => [epoch, propensity]),
      [[1, 1]],
    )
  })

  it('records the failure of the chosen variant beside the answer of the champion', async () => {
    await using a = await startServer(predicting(1))
    await using b = await startServer((_seen, response) => {
      response.socket?.destroy()
    })
    await using control = await startControl()
    const routes = toSplit(a.url, b.url, 0.5)
    await using gateway = await startTestGateway({ routes, controlUrl: control.url, random: () => 0.9 })
    await gateway.predict()
    await gateway.stop()
    const [answer, failure] = [...control.records].sort((x, y) => x.variant - y.variant)
    assert.deepEqual([answer?.served, answer?.pinned, answer?.status, answer?.propensity], [true, true, 200, 0.5])
    assert.deepEqual([failure?.served, failure?.pinned, failure?.status, failure?.rows], [false, undefined, 0, []])
    assert.equal(answer?.request, failure?.request)
  })
})
