import { RegattaError, toErrorText } from '../core/errors.ts'
import { isObject } from '../core/json.ts'
import type { NamedTensors, TensorSpec } from '../tensor/index.ts'
import type { Engine, EngineOptions, ModelInput } from './engine.ts'

/** What a server's thread gets at its start. */
export interface ThreadData extends EngineOptions {
  readonly kind: 'regatta-engine'
}

/** What the server asks of its thread. */
export type ThreadRequest =
  | {
      readonly kind: 'run'
      readonly id: number
      readonly inputs: NamedTensors
      readonly outputs: readonly string[]
    }
  | { readonly kind: 'close' }

/** What the thread answers: first `opened` or `failed`, then one answer for each run. */
export type ThreadReply =
  | { readonly kind: 'opened'; readonly inputs: readonly ModelInput[]; readonly outputs: readonly TensorSpec[] }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly fix: string | undefined }
  | { readonly kind: 'done'; readonly id: number; readonly outputs: NamedTensors }
  | { readonly kind: 'error'; readonly id: number; readonly message: string }

/** Whether a thread was started to hold an engine. */
export function isThreadData(value: unknown): value is ThreadData {
  return isObject(value) && value['kind'] === 'regatta-engine'
}

/** The first reply of a thread. */
export function toOpened({ inputs, outputs }: Pick<Engine, 'inputs' | 'outputs'>): ThreadReply {
  return { kind: 'opened', inputs, outputs }
}

/** An error as it crosses between threads. */
export function toFailed(error: unknown): ThreadReply {
  if (!(error instanceof RegattaError))
    return { kind: 'failed', code: 'MODEL_LOAD', message: toErrorText(error), fix: undefined }
  return { kind: 'failed', code: error.code, message: error.message, fix: error.fix }
}

/**
 * The memory of tensors that can be handed over to another thread without a copy: that which a tensor has to itself. The
 * tensors of one message may be parts of its memory.
 */
export function listBuffers(tensors: NamedTensors): ArrayBuffer[] {
  return [...tensors.values()].flatMap(tensor => {
    if (tensor.dtype === 'string') return []
    const { buffer, byteLength } = tensor.data
    return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : []
  })
}
