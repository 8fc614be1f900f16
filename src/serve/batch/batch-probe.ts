import { toErrorText } from '../../core/errors.ts'
import { freshMemory, joinRows, type NamedTensors, sliceRows } from '../../tensor/index.ts'
import type { Engine, EngineRun } from '../engine/engine.ts'
import { type BatchBounds, type BatchSize, toBatchSize, toSizes } from './batch-size.ts'
import { isClose, mapTensors, toChance, toRandomRow } from './sample-rows.ts'

/** Whether requests of a model may be run together, and how many rows at once. */
export type BatchProbe =
  | { readonly kind: 'together'; readonly size: BatchSize }
  | { readonly kind: 'singly'; readonly reason: string }

/** How a model is probed. */
export interface ProbeOptions extends BatchBounds {
  /** Inputs that the model takes. */
  readonly sample: NamedTensors
  /** Milliseconds. */
  readonly now: () => number
}

/** Runs of one size that are timed, of which the fastest counts, and the time that all of them may take. */
const TIMED_RUNS = 3
const TIMED_MS = 200

/**
 * Proves that a model keeps rows apart: two rows run together give what each of them gives alone. Then measures what a
 * row costs by the number of rows. Whatever cannot be proven is run singly.
 */
export async function probeBatching(engine: Engine, options: ProbeOptions): Promise<BatchProbe> {
  const { maxRows, sample } = options
  if (maxRows === 1) return { kind: 'singly', reason: 'batching is off' }
  const fixed = [...engine.inputs, ...engine.outputs].find(({ shape }) => shape[0] !== -1)
  if (fixed !== undefined) return { kind: 'singly', reason: `the first dimension of "${fixed.name}" is not free` }
  try {
    const rows = await findRows(engine, sample)
    const mixed = await findMixed(engine, rows)
    if (mixed !== undefined) return { kind: 'singly', reason: mixed }
    const size = toBatchSize(options)
    await learnSizes(engine, rows[0], size, options)
    return { kind: 'together', size }
  } catch (error) {
    return {
      kind: 'singly',
      reason: `it cannot be proven that the model keeps rows apart: ${toErrorText(error).trim()}`,
    }
  }
}

type TwoRows = readonly [NamedTensors, NamedTensors]

/** Two different rows that the model takes: of numbers by chance, or else of the sample. */
async function findRows(engine: Engine, sample: NamedTensors): Promise<TwoRows> {
  const next = toChance()
  const byChance: TwoRows = [toRandomRow(sample, next, 0), toRandomRow(sample, next, 1)]
  try {
    for (const row of byChance) await run(engine, row)
    return byChance
  } catch (error) {
    if ([...sample.values()].some(({ shape: [rows = 0] }) => rows < 2)) throw error
    return [
      mapTensors(sample, tensor => sliceRows(tensor, 0, 1)),
      mapTensors(sample, tensor => sliceRows(tensor, 1, 1)),
    ]
  }
}

/** Says where two rows that are run together give something else than each alone, if they do. */
async function findMixed(engine: Engine, [a, b]: TwoRows): Promise<string | undefined> {
  const [alone, other, together] = [
    await compute(engine, a),
    await compute(engine, b),
    await compute(engine, joinAll([a, b])),
  ]
  for (const [name, both] of together) {
    const first = alone.get(name)
    const second = other.get(name)
    if (first === undefined || second === undefined) return `output "${name}" is not always there`
    if (both.shape[0] !== 2) return `2 rows give an output "${name}" of shape [${both.shape}]`
    if (first.shape[0] !== 1 || !isClose(sliceRows(both, 0, 1), first) || !isClose(sliceRows(both, 1, 1), second))
      return `rows of output "${name}" depend on each other`
  }
  return undefined
}

async function learnSizes(engine: Engine, row: NamedTensors, size: BatchSize, options: ProbeOptions): Promise<void> {
  const { maxRows, now } = options
  const startedAt = now()
  for (const rows of toSizes(maxRows)) {
    // Sizes beyond the one that is next to be tried are too costly, or gain nothing.
    if (rows > size.maxRows || now() - startedAt > TIMED_MS) return
    const inputs = joinAll(new Array<NamedTensors>(rows).fill(row))
    for (let at = 0; at < TIMED_RUNS; at += 1) {
      size.learn(rows, (await run(engine, inputs)).computeMs)
    }
  }
}

async function compute(engine: Engine, inputs: NamedTensors): Promise<NamedTensors> {
  return (await run(engine, inputs)).outputs
}

function run(engine: Engine, inputs: NamedTensors): Promise<EngineRun> {
  return engine.run(
    inputs,
    engine.outputs.map(({ name }) => name),
  )
}

function joinAll([first, ...others]: readonly NamedTensors[]): NamedTensors {
  return mapTensors(first ?? new Map(), (tensor, name) =>
    joinRows(
      tensor,
      others.flatMap(other => other.get(name) ?? []),
      freshMemory,
    ),
  )
}
