import { RegattaError } from '../../core/errors.ts'
import {
  freshMemory,
  joinRows,
  type Memory,
  type NamedTensors,
  sliceRows,
  type Tensor,
  toReusedMemory,
} from '../../tensor/index.ts'
import type { Engine } from '../engine/engine.ts'
import { toDropped, type Work } from './batcher.ts'

/** A request's part in runs of the model. */
export interface InferWork extends Work {
  readonly inputs: NamedTensors
  /** Names of the wanted outputs. */
  readonly outputs: readonly string[]
}

/** What became of a work: its own rows of the outputs, and the run that they come from. */
export interface Inferred {
  readonly outputs: NamedTensors
  readonly run: BatchRun
}

/** One run of the model. Times are those of `performance.now()`. */
export interface BatchRun {
  readonly requests: number
  readonly rows: number
  readonly computeMs: number
  /** When its inputs were begun to be joined. */
  readonly startedAt: number
  readonly inferAt: number
  readonly splitAt: number
  readonly endedAt: number
}

/** Where a runner tells what happens. */
export interface RunnerEvents {
  readonly onRun: (run: BatchRun) => void
  readonly onFailure: (run: Pick<BatchRun, 'requests' | 'rows'>) => void
  /** An output of several requests has not their rows: this model must not be run so. */
  readonly onMixed: (reason: string) => void
}

/** The clocks of a runner: the time of day for deadlines, and an even one for durations, both in ms. */
export interface RunnerClock {
  readonly now: () => number
  readonly tick: () => number
}

/** Runs works together, and singly where that fails, so that each gets its own answer or error. */
export type Runner = (works: readonly InferWork[]) => Promise<readonly PromiseSettledResult<Inferred>[]>

/** Makes the runner of an engine. Running is pure: works whose engine was lost are tried once more. */
export function toRunner(engine: Engine, events: RunnerEvents, clock: RunnerClock): Runner {
  const memories = new Map(engine.inputs.map(({ name }) => [name, toReusedMemory()]))
  return async works => {
    try {
      return (await runOnce(works)).map(value => ({ status: 'fulfilled', value }))
    } catch (error) {
      const [only, ...others] = works
      if (only === undefined) return []
      if (others.length > 0) return await runSingly(works)
      return [isLost(error) ? await settle(() => runAlone(only)) : { status: 'rejected', reason: error }]
    }
  }

  async function runSingly(works: readonly InferWork[]): Promise<readonly PromiseSettledResult<Inferred>[]> {
    const settled: PromiseSettledResult<Inferred>[] = []
    for (const work of works) settled.push(await settle(() => runAlone(work)))
    return settled
  }

  async function runAlone(work: InferWork): Promise<Inferred> {
    const dropped = toDropped(work, clock.now)
    if (dropped !== undefined) throw dropped
    const [inferred] = await runOnce([work])
    if (inferred === undefined) throw new Error('A run of one work gave nothing')
    return inferred
  }

  async function runOnce(works: readonly InferWork[]): Promise<readonly Inferred[]> {
    const rows = works.reduce((sum, work) => sum + work.rows, 0)
    const startedAt = clock.tick()
    try {
      // Of batches one at a time, the next finds the memory free.
      const inputs = joinInputs(works, name => (engine.lanes === 1 ? memories.get(name) : undefined) ?? freshMemory)
      const inferAt = clock.tick()
      const { outputs, computeMs } = await engine.run(inputs, works[0]?.outputs ?? [])
      const splitAt = clock.tick()
      const parts = works.length === 1 ? [outputs] : split(outputs, works, rows)
      const run = { requests: works.length, rows, computeMs, startedAt, inferAt, splitAt, endedAt: clock.tick() }
      events.onRun(run)
      return parts.map(part => ({ outputs: part, run }))
    } catch (error) {
      events.onFailure({ requests: works.length, rows })
      throw error
    }
  }

  function split(outputs: NamedTensors, works: readonly InferWork[], rows: number): readonly NamedTensors[] {
    for (const [name, { shape }] of outputs) {
      if (shape[0] === rows) continue
      const reason = `${rows} rows gave an output "${name}" of shape [${shape}]`
      events.onMixed(reason)
      throw new Error(reason)
    }
    return splitOutputs(outputs, works)
  }
}

function joinInputs(works: readonly InferWork[], toMemory: (input: string) => Memory): NamedTensors {
  const [first, ...others] = works
  if (first === undefined || others.length === 0) return first?.inputs ?? new Map()
  const joined = [...first.inputs].map(([name, tensor]) => {
    const below = others.flatMap(({ inputs }) => inputs.get(name) ?? [])
    return [name, joinRows(tensor, below, toMemory(name))] as const
  })
  return new Map(joined)
}

function splitOutputs(outputs: NamedTensors, works: readonly InferWork[]): readonly NamedTensors[] {
  let at = 0
  return works.map(({ rows }) => {
    const start = at
    at += rows
    const own = new Map<string, Tensor>()
    for (const [name, tensor] of outputs) own.set(name, sliceRows(tensor, start, rows))
    return own
  })
}

async function settle(run: () => Promise<Inferred>): Promise<PromiseSettledResult<Inferred>> {
  try {
    return { status: 'fulfilled', value: await run() }
  } catch (reason) {
    return { status: 'rejected', reason }
  }
}

function isLost(error: unknown): boolean {
  return error instanceof RegattaError && error.code === 'ENGINE_LOST'
}
