import { parentPort, Worker, workerData } from 'node:worker_threads'
import { RegattaError, toErrorText } from '../../core/errors.ts'
import type { Engine, EngineOptions, EngineRun, Signature } from './engine.ts'
import { openOnnxEngine } from './onnx.node.ts'
import {
  copyTensors,
  isThreadData,
  listBuffers,
  type ThreadData,
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
export async function openThreadEngine({ path, intraOpThreads }: EngineOptions): Promise<Engine> {
  const data: ThreadData = { kind: 'regatta-engine', path, intraOpThreads }
  const worker = new Worker(toEntry(import.meta.url), { workerData: data })
  const runs = new Map<number, PromiseWithResolvers<EngineRun>>()
  const opened = Promise.withResolvers<Signature>()
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
    lanes: 1,
    parallelRuns: PARALLEL_RUNS,
    lost: lost.promise,
    async run(tensors, names) {
      // Nobody would answer.
      if (failure !== undefined) throw failure
      lastId += 1
      const run = Promise.withResolvers<EngineRun>()
      runs.set(lastId, run)
      // Whoever asks keeps its tensors: should this thread end, another one gets them.
      const inputs = copyTensors(tensors)
      post({ kind: 'run', id: lastId, inputs, outputs: names }, listBuffers(inputs))
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
  const post = (reply: ThreadReply, transfer: ArrayBuffer[] = []): void => port.postMessage(reply, transfer)
  try {
    const engine = await openOnnxEngine(workerData)
    port.on('message', (request: ThreadRequest) => void answer(engine, request))
    post(toOpened(engine))
  } catch (error) {
    post(toFailed(error))
  }

  async function answer(engine: Engine, request: ThreadRequest): Promise<void> {
    if (request.kind === 'close') {
      await engine[Symbol.asyncDispose]()
      return port.close()
    }
    const { id, inputs, outputs } = request
    try {
      const run = await engine.run(inputs, outputs)
      post({ kind: 'done', id, run }, listBuffers(run.outputs))
    } catch (error) {
      post({ kind: 'error', id, message: toErrorText(error) })
    }
  }
}

function settle(runs: Map<number, PromiseWithResolvers<EngineRun>>, reply: Extract<ThreadReply, { id: number }>): void {
  const run = runs.get(reply.id)
  runs.delete(reply.id)
  if (reply.kind === 'done') run?.resolve(reply.run)
  else run?.reject(new Error(reply.message))
}

/**
 * The file that a thread starts with: the entry of the server's process, which knows that it is in a thread. Bundles
 * hold their modules in one file: this one is in the server's own bundle, or in another one with the server's beside it.
 */
function toEntry(url: string): URL {
  if (url.endsWith('.ts')) return new URL('../main.ts', url)
  return new URL(url.endsWith('/server.js') ? url : './runtime/server.js', url)
}

function toDetail(fix: string | undefined): { readonly fix?: string } {
  return fix === undefined ? {} : { fix }
}
