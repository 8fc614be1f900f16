import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Multiplier, type SharedMemory, toSharedMemory, toWasmMultiplier } from './gemm.ts'
import { type RnnShape, type Stage, toLayout, toPart } from './rnn-part.ts'

/** Opens a multiplier over so many floats, all 0. */
export type OpenMultiplier = (length: number) => Multiplier

/** Threads that work on one batch in one memory. */
export interface Team extends Disposable {
  readonly memory: Float32Array | Float64Array
  /** Does one stage, each thread its part, and returns when all have. @throws where a thread has died */
  work(stage: Stage): void
}

/** What a worker thread is told. */
export interface WorkerOrders {
  readonly shape: RnnShape
  readonly memory: SharedMemory
  readonly index: number
  readonly parts: number
  /** See `TURN`; then, for each worker, the last turn it has done. */
  readonly turns: Int32Array
}

/** Places in `turns`: the number of the turn that workers are to do, and what it is. */
export const TURN = 0
export const TASK = 1
/** What a turn can be; the last ends the worker. */
export const TASKS: readonly (Stage | 'end')[] = ['forward', 'backward', 'gradient', 'end']
const FIRST_WORKER = 2

/** Place in `turns` of the last turn that a worker has done. */
export const toDonePlace = (index: number): number => FIRST_WORKER + index - 1

/** A turn takes milliseconds; a thread that takes so long has died. */
const TURN_LIMIT_MS = 120_000

/** How many threads are worth while here: one where a stage is over sooner than a thread wakes up. */
export function toThreads({ hidden, windows, steps }: RnnShape): number {
  const multiplications = 3 * hidden ** 2 * windows * steps
  return multiplications < 5e7 ? 1 : Math.min(4, availableParallelism())
}

/** Opens a team of threads, this one and workers, that share one memory. */
export function openTeam(
  shape: RnnShape,
  { threads, openMultiplier }: { readonly threads: number; readonly openMultiplier: OpenMultiplier },
): Team {
  const { length, rows, width } = toLayout(shape)
  // Each thread needs a tile of 4 rows at least.
  const parts = Math.min(threads, rows / 4, width / 4)
  if (parts === 1) return toSoloTeam(shape, openMultiplier(length))
  const memory = toSharedMemory(length)
  const multiplier = toWasmMultiplier(length, memory)
  const turns = new Int32Array(new SharedArrayBuffer((FIRST_WORKER + parts - 1) * Int32Array.BYTES_PER_ELEMENT))
  const workers = Array.from({ length: parts - 1 }, (_, i) => i + 1)
  for (const index of workers) {
    const orders: WorkerOrders = { shape, memory, index, parts, turns }
    new Worker(new URL('./team-worker.ts', import.meta.url), { workerData: orders }).unref()
  }
  const own = toPart(shape, multiplier, { index: 0, parts })
  const call = (task: Stage | 'end'): number => {
    Atomics.store(turns, TASK, TASKS.indexOf(task))
    const turn = Atomics.add(turns, TURN, 1) + 1
    Atomics.notify(turns, TURN)
    return turn
  }
  return {
    memory: multiplier.memory,
    work(stage) {
      const turn = call(stage)
      own[stage]()
      for (const index of workers) waitFor(turns, toDonePlace(index), turn)
    },
    [Symbol.dispose]: () => void call('end'),
  }
}

function toSoloTeam(shape: RnnShape, multiplier: Multiplier): Team {
  const whole = toPart(shape, multiplier, { index: 0, parts: 1 })
  return { memory: multiplier.memory, work: stage => whole[stage](), [Symbol.dispose]: () => undefined }
}

function waitFor(turns: Int32Array, place: number, turn: number): void {
  for (;;) {
    const found = Atomics.load(turns, place)
    if (found === turn) return
    if (Atomics.wait(turns, place, found, TURN_LIMIT_MS) === 'timed-out') {
      throw new Error(`A training thread has not answered for ${TURN_LIMIT_MS / 1000} s`)
    }
  }
}
