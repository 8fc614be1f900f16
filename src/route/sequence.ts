import { isMembers, isNumber, type ParameterValue, parseJson, peekModelInferRequest } from '../tensor/index.ts'
import type { TapBody } from './records/tap.ts'

/**
 * V2's parameter that ties requests together: what answers them keeps their state, so one replica must get all of them,
 * each once and in turn. Source: Triton, "Sequence Extension".
 */
export const SEQUENCE = 'sequence_id'
const MARK = `"${SEQUENCE}"`

/** The sequence of a REST request; undefined where it names none, or is compressed. What lacks the name is not parsed. */
export function readSequence({ bytes, encoding, jsonBytes }: TapBody): string | undefined {
  const json = bytes.subarray(0, jsonBytes)
  if (encoding !== undefined || !toBuffer(json).includes(MARK)) return undefined
  try {
    const request = parseJson(json)
    const parameters = isMembers(request) ? request.get('parameters') : undefined
    const value = isMembers(parameters) ? parameters.get(SEQUENCE) : undefined
    if (value === undefined || typeof value === 'string') return toSequence(value)
    return isNumber(value) ? toSequence(value.exact ?? value.value) : undefined
  } catch {
    // Whoever answers the request says what is wrong with it.
    return undefined
  }
}

/** The sequence of a `ModelInferRequest`, as `readSequence` tells it. */
export function readMessageSequence(message: Uint8Array): string | undefined {
  if (!toBuffer(message).includes(SEQUENCE)) return undefined
  try {
    return toSequence(peekModelInferRequest(message).parameters.get(SEQUENCE))
  } catch {
    return undefined
  }
}

/** The sequence that a parameter names: 0 and an empty text stand for none. */
export function toSequence(value: ParameterValue | undefined): string | undefined {
  return value === undefined || value === 0 || value === '' ? undefined : String(value)
}

function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

/** Lets the requests of each sequence of a stream go one after the other. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>()

  /** Waits for its turn from now on; `end` gives it to the next one. */
  take(sequence: string): { readonly begun: Promise<void> | undefined; end(): void } {
    const begun = this.#last.get(sequence)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last.set(sequence, promise)
    const end = (): void => {
      if (this.#last.get(sequence) === promise) this.#last.delete(sequence)
      resolve()
    }
    return { begun, end }
  }
}
