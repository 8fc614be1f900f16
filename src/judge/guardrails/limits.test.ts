import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toUniform } from '../testing/random.ts'
import { type ArmHealth, type GuardrailRule, toGuardrails, toRequestsWanted } from './limits.ts'

const EDGES = Array.from({ length: 60 }, (_, at) => Math.round(1000 * 1.1 ** at))
const rule: GuardrailRule = { errorRate: 0.01, p99: 1.5, alpha: 0.05 }

/** Requests of which a share fails, with latencies of an exponential tail above 1 ms times `slow`. */
class Arm {
  requests = 0
  failures = 0
  readonly #counts = EDGES.map(() => 0)
  readonly #draw: () => number
  readonly #slow: number

  constructor(seed: number, slow = 1) {
    this.#draw = toUniform(seed)
    this.#slow = slow
  }

  answer(failing: number): void {
    this.requests += 1
    this.failures += Number(this.#draw() < failing)
    const us = 1000 * this.#slow * (1 - Math.log(1 - this.#draw()))
    const at = EDGES.findIndex(edge => us <= edge)
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
  }

  get health(): ArmHealth {
    const buckets = EDGES.map((upToUs, at) => ({ fromUs: EDGES[at - 1] ?? 0, upToUs, count: this.#counts[at] ?? 0 }))
    const latencies = buckets.filter(({ count }) => count > 0)
    return { requests: this.requests, failures: this.failures, latencies }
  }
}

interface Case {
  readonly failingA: number
  readonly failingB: number
  readonly slowB: number
  readonly requests: number
}

/** Sends requests to both and looks every 100; the challenger's request at which it was stopped, and by what. */
function findStop(seed: number, { failingA, failingB, slowB, requests }: Case): readonly [number, string] | undefined {
  const a = new Arm(seed)
  const b = new Arm(seed + 10_000, slowB)
  for (let sent = 1; sent <= requests; sent++) {
    for (let more = 0; more < 4; more++) a.answer(failingA)
    b.answer(failingB)
    if (sent % 100 !== 0) continue
    const breached = toGuardrails(rule, [a.health, b.health], 1).find(({ state }) => state === 'breached')
    if (breached !== undefined) return [sent, breached.name]
  }
  return undefined
}

const stops = (runs: number, of: Case) =>
  Array.from({ length: runs }, (_, seed) => findStop(seed, of)).filter(stop => stop !== undefined)

describe('toGuardrails()', () => {
  it('stop a challenger at its limits in at most 5 % of 100 repetitions', () => {
    const found = stops(100, { failingA: 0.002, failingB: 0.01, slowB: 1.5, requests: 3000 })
    assert.ok(found.length <= 5, `${found.length}`)
  })

  it('stop a challenger that fails as often as the champion in at most 5 % of 100 repetitions', () => {
    const found = stops(100, { failingA: 0.05, failingB: 0.05, slowB: 1, requests: 3000 })
    assert.ok(found.length <= 5, `${found.length}`)
  })

  it('stop one that fails at four times the limit within 1500 requests, every time', () => {
    const found = stops(30, { failingA: 0.002, failingB: 0.04, slowB: 1, requests: 1500 })
    assert.deepEqual([found.length, new Set(found.map(([, name]) => name))], [30, new Set(['error rate'])])
  })

  it('stop one that takes three times as long within 1500 requests, every time', () => {
    const found = stops(30, { failingA: 0, failingB: 0, slowB: 3, requests: 1500 })
    assert.deepEqual([found.length, new Set(found.map(([, name]) => name))], [30, new Set(['p99'])])
  })

  it('are quiet only once a share of three times the limit would have shown', () => {
    const wanted = toRequestsWanted(0.01, 0.05 / 4)
    const [a, b] = [new Arm(1), new Arm(2)]
    const states = () => toGuardrails(rule, [a.health, b.health], 1).map(({ state }) => state)
    for (let sent = 1; sent < wanted; sent++) {
      for (let more = 0; more < 4; more++) a.answer(0)
      b.answer(0)
    }
    assert.deepEqual(states(), ['watching', 'watching'])
    b.answer(0)
    assert.deepEqual(states(), ['quiet', 'quiet'])
  })

  it('spend less on each further epoch, and on each of two guardrails half', () => {
    const health = (failures: number): ArmHealth => ({ requests: 100_000, failures, latencies: [] })
    const leastStop = (more: Partial<GuardrailRule>, ordinal: number) =>
      Array.from({ length: 1000 }, (_, more) => 1000 + more).find(
        failures =>
          toGuardrails({ errorRate: 0.01, alpha: 0.05, ...more }, [health(0), health(failures)], ordinal)[0]?.state ===
          'breached',
      )
    const [alone, beside, fourth] = [leastStop({}, 1), leastStop({ p99: 2 }, 1), leastStop({}, 4)]
    assert.ok(alone !== undefined && beside !== undefined && fourth !== undefined)
    assert.ok(1000 < alone && alone < beside && beside < fourth && fourth < 1300, `${alone} ${beside} ${fourth}`)
  })

  it('say that the champion is unknown before it has answered', () => {
    const nothing: ArmHealth = { requests: 0, failures: 0, latencies: [] }
    const failing: ArmHealth = { requests: 1000, failures: 1000, latencies: [] }
    assert.deepEqual(
      toGuardrails(rule, [nothing, failing], 1).map(({ state }) => state),
      ['watching', 'watching'],
    )
  })
})
