import { RegattaError, toErrorText } from '../../core/errors.ts'
import { isObject } from '../../core/json.ts'
import { copyTensor, type NamedTensors, type TensorSpec } from '../../tensor/index.ts'
import type { EngineOptions, EngineRun, ModelInput, Signature } from './engine.ts'

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
  | { readonly kind: 'done'; readonly id: number; readonly run: EngineRun }
  | { readonly kind: 'error'; readonly id: number; readonly message: string }

/** Whether a thread was started to hold an engine. */
export function isThreadData(value: unknown): value is ThreadData {
  return isObject(value) && value['kind'] === 'regatta-engine'
}

/** The first reply of a thread. */
export function toOpened({ inputs, outputs }: Signature): ThreadReply {
  return { kind: 'opened', inputs, outputs }
}

/** An error as it crosses between threads. */
export function toFailed(error: unknown): ThreadReply {
  if (!(error instanceof RegattaError))
    return { kind: 'failed', code: 'MODEL_LOAD', message: toErrorText(error), fix: undefined }
  return { kind: 'failed', code: error.code, message: error.message, fix: error.fix }
}

/** The memory of tensors, which goes over to another thread without a copy: none of it may be used here any more. */
export function listBuffers(tensors: NamedTensors): ArrayBuffer[] {
  const buffers = [...tensors.values()].map(tensor => (tensor.dtype === 'string' ? undefined : tensor.data.buffer))
  // Several tensors may share one, which cannot be handed over twice.
  return [...new Set(buffers)].filter(buffer => buffer instanceof ArrayBuffer)
}

/** Copies tensors that stay here, so that the copies can go over. */
export function copyTensors(tensors: NamedTensors): NamedTensors {
  return new Map([...tensors].map(([name, tensor]) => [name, copyTensor(tensor)]))
}
