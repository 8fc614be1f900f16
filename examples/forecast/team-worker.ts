// One worker thread of a team: waits for a turn, does its part of it, says so.
import { workerData } from 'node:worker_threads'
import { toWasmMultiplier } from './gemm.ts'
import { toLayout, toPart } from './rnn-part.ts'
import { TASK, TASKS, TURN, toDonePlace, type WorkerOrders } from './team.ts'

const { index, memory, parts, shape, turns }: WorkerOrders = workerData
const part = toPart(shape, toWasmMultiplier(toLayout(shape).length, memory), { index, parts })

for (let done = 0; ; done++) {
  Atomics.wait(turns, TURN, done)
  const task = TASKS[Atomics.load(turns, TASK)]
  if (task === undefined || task === 'end') break
  part[task]()
  Atomics.store(turns, toDonePlace(index), done + 1)
  Atomics.notify(turns, toDonePlace(index))
}
