import { DTYPES, type NamedTensors, type TensorSpec, toElementCount, toSizeBytes } from '../../tensor/index.ts'
import type { Signature } from '../engine/engine.ts'
import { Refusal } from '../errors.ts'
import type { InferWork } from './batch-run.ts'

/** What a request says beside its tensors. */
export interface WorkOptions {
  /** Names of the wanted outputs. */
  readonly outputs: readonly string[]
  readonly signal: AbortSignal
  readonly deadlineAt: number | undefined
}

/** Makes works of requests, for one model. */
export type WorkMaker = (inputs: NamedTensors, options: WorkOptions) => InferWork

/**
 * Makes the work maker of a model. Requests that may run together have one key: equal lengths of the dimensions that
 * the model leaves free behind the first, and the same outputs. `maxBytes` bounds what one run takes of memory.
 */
export function toWorkMaker({ inputs: specs, outputs: all }: Signature, maxBytes: number): WorkMaker {
  const allBytes = all.map(toBytes)
  const free = specs.filter(({ shape }) => shape.slice(1).includes(-1)).map(({ name }) => name)
  return (inputs, { outputs, signal, deadlineAt }) => {
    const rows = findRows(inputs)
    const wanted = outputs.length === all.length ? '' : outputs.join('\n')
    const shapes = free.length === 0 ? '' : free.map(name => inputs.get(name)?.shape.slice(1).join()).join(';')
    const wantedSpecs = wanted === '' ? all : all.filter(({ name }) => outputs.includes(name))
    const sizeBytes = sumBytes(inputs) + toKnownBytes(wanted === '' ? allBytes : wantedSpecs.map(toBytes), rows ?? 1)
    if (sizeBytes > maxBytes) throw toTooLarge(sizeBytes, maxBytes)
    return {
      inputs,
      outputs,
      rows: rows ?? 1,
      key: rows === undefined ? undefined : `${shapes}|${wanted}`,
      sizeBytes,
      signal,
      deadlineAt,
    }
  }
}

/** Checks what a run gave. @throws BAD_REQUEST where it is too large to be answered with */
export function checkOutputBytes(outputs: NamedTensors, maxBytes: number): void {
  const sizeBytes = sumBytes(outputs)
  if (sizeBytes > maxBytes) throw toTooLarge(sizeBytes, maxBytes)
}

/** How many rows all tensors have, or undefined where they have none or not the same. */
function findRows(tensors: NamedTensors): number | undefined {
  let rows: number | undefined
  for (const { shape } of tensors.values()) {
    const [length = 0] = shape
    if (length === 0 || (rows !== undefined && rows !== length)) return undefined
    rows = length
  }
  return rows
}

function sumBytes(tensors: NamedTensors): number {
  let sum = 0
  for (const tensor of tensors.values()) sum += toSizeBytes(tensor)
  return sum
}

/** Bytes of an output: for each row where the first dimension is free, or of the whole; 0 where the model does not tell. */
interface KnownBytes {
  readonly each: number
  readonly whole: number
}

function toBytes({ dtype, shape }: TensorSpec): KnownBytes {
  const [first = 1, ...others] = shape
  if (others.includes(-1)) return { each: 0, whole: 0 }
  const bytes = DTYPES[dtype].bytes * toElementCount(others)
  return first === -1 ? { each: bytes, whole: 0 } : { each: 0, whole: bytes * first }
}

/** Bytes of the outputs whose shape the model tells; a free first dimension has as many rows as the request. */
function toKnownBytes(outputs: readonly KnownBytes[], rows: number): number {
  let sum = 0
  for (const { each, whole } of outputs) sum += whole + each * rows
  return sum
}

function toTooLarge(sizeBytes: number, maxBytes: number): Refusal {
  const text = `Cannot run the model: inputs and outputs take ${sizeBytes} bytes, above the limit of ${maxBytes}`
  return new Refusal('BAD_REQUEST', `${text}; send fewer rows at once`)
}
