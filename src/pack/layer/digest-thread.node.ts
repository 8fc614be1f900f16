import { type Digest, parseDigest } from '../../core/brands.ts'
import { createDigester } from '../../oci/index.ts'

/** A digest in the making whose work may happen elsewhere: each `update` is awaited before the next. */
export interface AsyncDigester extends AsyncDisposable {
  update(bytes: Uint8Array): Promise<void>
  finish(): Promise<Digest>
}

/** Below this a thread takes longer to start than it saves: about 15 ms, in which 25 MB are digested. */
const THREAD_BYTES = 32 * 1024 * 1024
const SLOT_BYTES = 1024 * 1024
const SLOTS = 4

/*
 * The thread's whole program, as text so that it needs no file of its own beside a bundle. Bytes go over in slots of
 * shared memory; each is handed back once it is digested.
 */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads')
const hash = require('node:crypto').createHash('sha256')
parentPort.on('message', ({ slot, length }) => {
  if (slot === undefined) return parentPort.postMessage({ hex: hash.digest('hex') })
  hash.update(workerData[slot].subarray(0, length))
  parentPort.postMessage({ slot })
})
`

/** Starts a sha256 digest of about `sizeBytes` bytes, in a thread of its own where that is faster. */
export async function openDigester(sizeBytes: number): Promise<AsyncDigester> {
  return sizeBytes >= THREAD_BYTES ? await openThread() : openHere()
}

function openHere(): AsyncDigester {
  const digester = createDigester()
  return {
    update: async bytes => digester.update(bytes),
    finish: async () => digester.finish(),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

async function openThread(): Promise<AsyncDigester> {
  const { Worker } = await import('node:worker_threads')
  const slots = Array.from({ length: SLOTS }, () => new Uint8Array(new SharedArrayBuffer(SLOT_BYTES)))
  const worker = new Worker(PROGRAM, { eval: true, workerData: slots, execArgv: [], env: {} })
  const free = slots.map((_, index) => index)
  let failure: unknown
  let wake = (): void => undefined
  let hex: string | undefined
  worker.on('message', (message: { readonly slot: number } | { readonly hex: string }) => {
    if ('hex' in message) hex = message.hex
    else free.push(message.slot)
    wake()
  })
  const fail = (error: unknown): void => {
    failure ??= error
    wake()
  }
  worker.on('error', fail)
  worker.on('exit', code => fail(new Error(`the thread that digests ended with code ${code}`)))
  /** Waits for what the thread says until it has said what is wanted. */
  const until = async (isThere: () => boolean): Promise<void> => {
    while (!isThere()) {
      if (failure !== undefined) throw failure
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  }
  return {
    async update(bytes) {
      for (let start = 0; start < bytes.byteLength; start += SLOT_BYTES) {
        await until(() => free.length > 0)
        const slot = free.pop() ?? 0
        const part = bytes.subarray(start, start + SLOT_BYTES)
        slots[slot]?.set(part)
        worker.postMessage({ slot, length: part.byteLength })
      }
    },
    async finish() {
      worker.postMessage({})
      await until(() => hex !== undefined)
      return parseDigest(`sha256:${hex}`)
    },
    [Symbol.asyncDispose]: async () => {
      await worker.terminate()
    },
  }
}
