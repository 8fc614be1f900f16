import assert from 'node:assert/strict'
import type { PredictedValue, PredictionRecord } from '../../core/wire/records.ts'
import { emptyMoments, fold, type Moments, toLoss } from '../../judge/index.ts'
import type { Scoreboard, Truth, TruthCounts } from '../index.ts'
import { toKeyFloor } from '../sums/days.ts'
import { spec, toPair, toTruth } from './place.ts'

interface Known {
  readonly value: PredictedValue
  readonly revision: number
}

interface Loss {
  readonly key: string
  readonly variant: number
  /** Chance drew the variant, and the client got its answer. */
  readonly drawn: boolean
  readonly loss: number
}

/**
 * What a store should say of race 1 between variants 1 and 2 of epoch 1, the plain way: everything is kept, and
 * every figure is computed anew from all of it.
 */
export class Recount {
  readonly #records = new Map<string, PredictionRecord>()
  readonly #truths = new Map<string, Known>()
  readonly counts = { new: 0, duplicate: 0, revised: 0, stale: 0, conflict: 0, orphan: 0 }
  readonly #orphans = new Set<string>()
  /** What is left of pruned records. */
  readonly #frozen: Loss[] = []
  readonly #frozenRows = new Map<number, number>()
  #floor = ''

  addPredictions(records: readonly PredictionRecord[]): void {
    for (const record of records) {
      const key = `${record.request} ${record.variant}`
      if (this.#records.has(key) || record.request < this.#floor) continue
      this.#records.set(key, record)
      for (const subject of toSubjects(record)) {
        if (!this.#orphans.delete(subject)) continue
        this.counts.orphan -= 1
        this.counts.new += 1
      }
    }
  }

  addTruth(truth: Truth): keyof TruthCounts {
    const fate = this.#take(truth, toSubject(truth))
    this.counts[fate] += 1
    return fate
  }

  /** Forgets what is older than an instant but for its losses; every truth was received before it. */
  prune(before: number): void {
    this.#floor = [this.#floor, toKeyFloor(before)].sort().at(-1) ?? ''
    const old = [...this.#records].filter(([, { request }]) => request < this.#floor)
    this.#frozen.push(...old.flatMap(([, record]) => this.#toLosses(record)))
    for (const [key, { rows, variant }] of old) {
      this.#records.delete(key)
      this.#frozenRows.set(variant, (this.#frozenRows.get(variant) ?? 0) + rows.length)
    }
    const used = new Set([...this.#records.values()].flatMap(toSubjects))
    for (const subject of this.#truths.keys()) {
      const isSeries = subject.includes('@')
      if (isSeries ? used.has(subject) : subject >= this.#floor) continue
      this.#truths.delete(subject)
      this.#orphans.delete(subject)
    }
  }

  #toLosses({ pinned, request, rows, served, variant }: PredictionRecord): readonly Loss[] {
    return rows.flatMap(({ at, prediction, series }, row) => {
      const key = `${request}/${row}`
      const truth = this.#truths.get(key) ?? this.#truths.get(`${series}@${at}`)
      const loss = truth === undefined ? undefined : toLoss(spec.loss, prediction, truth.value)
      return loss === undefined ? [] : [{ key, variant, drawn: served && pinned !== true, loss }]
    })
  }

  #toLossesOf(variant: number): readonly Loss[] {
    const live = [...this.#records.values()].flatMap(record => this.#toLosses(record))
    return [...this.#frozen, ...live].filter(one => one.variant === variant)
  }

  /** Asserts that a scoreboard says the same, to nine digits. */
  assertSame(board: Scoreboard): void {
    const [a, b] = [this.#toLossesOf(1), this.#toLossesOf(2)]
    const ofA = new Map(a.map(({ key, loss }) => [key, loss]))
    const pairs = b.flatMap(({ key, loss }) => {
      const other = ofA.get(key)
      return other === undefined ? [] : [other - loss]
    })
    const paired = toMoments(pairs)
    assertMoments(board.paired, paired)
    assert.equal(board.discordant, pairs.filter(d => d !== 0).length)
    assertDominance(board.dominance, [pairs])
    for (const [arm, losses] of [
      [board.arms[0], a],
      [board.arms[1], b],
    ] as const) {
      assertMoments(arm.loss, toMoments(losses.map(({ loss }) => loss)))
    }
    const drawn = (losses: typeof a): number[] => losses.filter(one => one.drawn).map(one => one.loss)
    assertMoments(board.epochs[0]?.a, toMoments(drawn(a)))
    assertMoments(board.epochs[0]?.b, toMoments(drawn(b)))
    assertDominance(board.armsDominance, [drawn(a), drawn(b)])
    assert.equal(board.epochs[0]?.eventsA, drawn(a).filter(loss => loss !== 0).length)
    const rows = (variant: number): number =>
      [...this.#records.values()]
        .filter(one => one.variant === variant)
        .reduce((sum, one) => sum + one.rows.length, this.#frozenRows.get(variant) ?? 0)
    assert.deepEqual(
      board.arms.map(arm => arm.predictions),
      [rows(1), rows(2)],
    )
  }

  #take(truth: Truth, subject: string): keyof TruthCounts {
    if (truth.by === 'prediction' && truth.id.request < this.#floor) return 'stale'
    const known = this.#truths.get(subject)
    if (known !== undefined && truth.revision < known.revision) return 'stale'
    if (known !== undefined && truth.revision === known.revision) {
      return JSON.stringify(known.value) === JSON.stringify(truth.value) ? 'duplicate' : 'conflict'
    }
    this.#truths.set(subject, truth)
    if (known !== undefined) return 'revised'
    if ([...this.#records.values()].some(record => toSubjects(record).includes(subject))) return 'new'
    this.#orphans.add(subject)
    return 'orphan'
  }
}

/** What `child.ts` sends, for these numbers. */
export function toPlain(numbers: Iterable<number>): Recount {
  const plain = new Recount()
  for (const n of numbers) {
    plain.addPredictions(toPair(n, n % 7, n % 5))
    plain.addTruth(toTruth(n, n % 3))
  }
  return plain
}

function toSubject(truth: Truth): string {
  return truth.by === 'prediction' ? `${truth.id.request}/${truth.id.row}` : `${truth.series}@${truth.at}`
}

function toSubjects({ request, rows }: PredictionRecord): readonly string[] {
  return rows.flatMap(({ at, series }, row) => [`${request}/${row}`, `${series}@${at}`])
}

function toMoments(numbers: readonly number[]): Moments {
  return numbers.reduce<Moments>(fold, emptyMoments)
}

/** Asserts that moments agree to nine digits, or to what a double can hold where the mean dwarfs the spread. */
export function assertMoments(found: Moments | undefined, wanted: Moments): void {
  assert.equal(found?.count, wanted.count)
  assertNear(found?.mean, wanted.mean)
  assertNear(found?.m2, wanted.m2, toRounding(wanted))
}

/** Asserts how much one number has of the spread of some lots. */
function assertDominance(found: number, lots: readonly (readonly number[])[]): void {
  const moments = lots.map(toMoments)
  const far = lots.flatMap((lot, at) => lot.map(x => (x - (moments[at]?.mean ?? 0)) ** 2))
  const total = (of: (one: Moments) => number): number => moments.reduce((sum, one) => sum + of(one), 0)
  const m2 = total(one => one.m2)
  // Of numbers that are equal but for rounding, the spread is rounding too.
  if (m2 > 1e-9 + 1e9 * total(toRounding)) assertNear(found, Math.max(0, ...far) / m2)
}

/** How much of a sum of squared deviations may be rounding of the numbers themselves. */
function toRounding({ count, mean }: Moments): number {
  return 1e-14 * count * mean ** 2
}

/** Asserts that numbers agree to nine digits (absolute below 1), or to `rounding`. */
export function assertNear(found: number | undefined, wanted: number, rounding = 0): void {
  const off = Math.abs((found ?? Number.NaN) - wanted)
  assert.ok(off <= 1e-9 * Math.max(1, Math.abs(wanted)) + rounding, `wanted ${wanted}, found ${found}`)
}
