import { parentPort, Worker, workerData } from 'node:worker_threads'
import { RegattaError, toErrorText } from '../core/errors.ts'
import type { NamedTensors } from '../tensor/index.ts'
import type { Engine, EngineOptions } from './engine.ts'
import { openOnnxEngine } from './onnx.node.ts'
import {
  isThreadData,
  listBuffers,
  type ThreadReply,
  type ThreadRequest,
  toFailed,
  toOpened,
} from './thread-messages.ts'

// One computes while the other is being read or written; the rest waits where it can still be dropped.
const PARALLEL_RUNS = 2
/** How long a thread may take to end once it is asked to. */
const CLOSE_MS = 2_000

/**
 * Loads a model into a thread of its own, which leaves this one free to answer others while it loads and computes.
 * @throws MODEL_LOAD, MODEL_SIGNATURE
 */
export async function openThreadEngine(options: EngineOptions): Promise<Engine> {
  const worker = new Worker(toEntry(import.meta.url), { workerData: { kind: 'regatta-engine', ...options } })
  const runs = new Map<number, PromiseWithResolvers<NamedTensors>>()
  const opened = Promise.withResolvers<Pick<Engine, 'inputs' | 'outputs'>>()
  const lost = Promise.withResolvers<never>()
  // Whoever waits for an end sees it; nobody has to.
  lost.promise.catch(() => {})
  const ended = new Promise<void>(resolve => worker.once('exit', () => resolve()))
  let failure: RegattaError | undefined
  const fail = (cause: unknown): void => {
    failure ??= new RegattaError('ENGINE_LOST', `The model's thread ended: ${toErrorText(cause)}`, { cause })
    opened.reject(failure)
    lost.reject(failure)
    for (const run of runs.values()) run.reject(failure)
    runs.clear()
  }
  worker.on('error', fail)
  worker.once('exit', code => fail(`exit code ${code}`))
  worker.on('message', (reply: ThreadReply) => {
    if (reply.kind === 'opened') opened.resolve(reply)
    else if (reply.kind === 'failed') opened.reject(new RegattaError(reply.code, reply.message, toDetail(reply.fix)))
    else settle(runs, reply)
  })
  const post = (request: ThreadRequest, transfer: ArrayBuffer[] = []): void => worker.postMessage(request, transfer)
  let lastId = 0
  const { inputs, outputs } = await opened.promise
  return {
    inputs,
    outputs,
    parallelRuns: PARALLEL_RUNS,
    lost: lost.promise,
    async run(tensors, names) {
      // Nobody would answer.
      if (failure !== undefined) throw failure
      lastId += 1
      const run = Promise.withResolvers<NamedTensors>()
      runs.set(lastId, run)
      post({ kind: 'run', id: lastId, inputs: tensors, outputs: names }, listBuffers(tensors))
      return await run.promise
    },
    async [Symbol.asyncDispose]() {
      post({ kind: 'close' })
      const late = setTimeout(() => void worker.terminate(), CLOSE_MS)
      await ended
      clearTimeout(late)
    },
  }
}

/** What the thread does, from its entry until it is told to close. */
export async function runEngineThread(): Promise<void> {
  if (parentPort === null || !isThreadData(workerData)) throw new Error('This is not a thread of a model server')
  const port = parentPort
  const post = (reply: ThreadReply): void => port.postMessage(reply)
  try {
    const engine = await openOnnxEngine(workerData)
    port.on('message', (request: ThreadRequest) => void answer(engine, request, post))
    post(toOpened(engine))
  } catch (error) {
    post(toFailed(error))
  }

  async function answer(engine: Engine, request: ThreadRequest, post: (reply: ThreadReply) => void): Promise<void> {
    if (request.kind === 'close') {
      await engine[Symbol.asyncDispose]()
      return port.close()
    }
    const { id, inputs, outputs } = request
    try {
      post({ kind: 'done', id, outputs: await engine.run(inputs, outputs) })
    } catch (error) {
      post({ kind: 'error', id, message: toErrorText(error) })
    }
  }
}

function settle(
  runs: Map<number, PromiseWithResolvers<NamedTensors>>,
  reply: Extract<ThreadReply, { id: number }>,
): void {
  const run = runs.get(reply.id)
  runs.delete(reply.id)
  if (reply.kind === 'done') run?.resolve(reply.outputs)
  else run?.reject(new Error(reply.message))
}

/**
 * The file that a thread starts with: the entry of the server's process, which knows that it is in a thread. Bundles
 * hold their modules in one file: this one is in the server's own bundle, or in another one with the server's beside it.
 */
function toEntry(url: string): URL {
  if (url.endsWith('.ts')) return new URL('./main.ts', url)
  return new URL(url.endsWith('/server.js') ? url : './runtime/server.js', url)
}

function toDetail(fix: string | undefined): { readonly fix?: string } {
  return fix === undefined ? {} : { fix }
}
