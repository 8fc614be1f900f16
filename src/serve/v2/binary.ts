import type { HttpRequest } from '../../core/http/http.ts'
import { DTYPES, type Shape, toElementCount } from '../../tensor/index.ts'
import type { ModelInput } from '../engine/engine.ts'
import { Refusal } from '../errors.ts'

/*
 * The binary tensor extension of Open Inference V2: the JSON of a body, then the raw elements of its tensors in their
 * order. Source: triton-inference-server/server, docs/protocol/extension_binary_data.md; the errors are those of its
 * src/http_server.cc.
 */

/** Says how many bytes of a body are JSON. */
export const JSON_LENGTH_HEADER = 'inference-header-content-length'

/** A body in its two parts. */
export interface BinaryBody {
  readonly json: Uint8Array
  readonly tail: BinaryTail
}

/** Parts a body; undefined where all of it is JSON. @throws BAD_REQUEST */
export function parseBinaryBody({ headers, body }: HttpRequest): BinaryBody | undefined {
  const text = headers[JSON_LENGTH_HEADER]
  if (text === undefined) return undefined
  const name = 'Inference-Header-Content-Length'
  if (!/^\s*[+-]?\d+\s*$/.test(text)) throw toRefusal(`Unable to parse ${name}, got: ${text}`)
  const length = Number(text)
  if (length < 0 || length > body.byteLength)
    throw toRefusal(`inference header size should be in range (0, ${body.byteLength}), got: ${text}`)
  return { json: body.subarray(0, length), tail: new BinaryTail(body.subarray(length)) }
}

/** The raw elements behind the JSON of a body, which are taken one tensor after the other. */
export class BinaryTail {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The elements of the next tensor. @throws BAD_REQUEST */
  take(name: string, sizeBytes: number): Uint8Array {
    const start = this.#at
    const missing = start + sizeBytes - this.#bytes.byteLength
    if (missing > 0) throw toRefusal(`unexpected size for input '${name}', expecting ${missing} additional bytes`)
    this.#at += sizeBytes
    return this.#bytes.subarray(start, this.#at)
  }

  /** Checks that no elements are left over. @throws BAD_REQUEST */
  finish(): void {
    const left = this.#bytes.byteLength - this.#at
    if (left > 0) throw toRefusal(`unexpected additional input data: ${left} bytes are of no input`)
  }
}

/**
 * The shape of a model's only input, which came as a whole body without JSON: one row of it, whose other free dimension,
 * where it has one, is as long as the bytes have it. @throws BAD_REQUEST
 */
export function toRawShape({ name, dtype, shape }: ModelInput, bodyBytes: number): Shape {
  const isText = dtype === 'string'
  const free = shape.flatMap((size, axis) => (size === -1 ? [axis] : []))
  const isBatch = shape[0] === -1 && (isText || free.length === 2)
  const row = isBatch ? [1, ...shape.slice(1)] : shape
  const open = row.indexOf(-1)
  const rest = toElementCount(row.filter(size => size !== -1))
  if (row.lastIndexOf(-1) !== open || (isText && (open !== -1 || rest !== 1))) throw toUnfit(name)
  if (open === -1) return row
  const size = bodyBytes / (rest * DTYPES[dtype].bytes)
  if (Number.isInteger(size)) return row.with(open, size)
  throw toRefusal(`Cannot use input "${name}": ${bodyBytes} bytes are no whole number of its elements`)
}

function toUnfit(name: string): Refusal {
  return toRefusal(`Cannot use a body without JSON: its size does not tell the shape of input "${name}"`)
}

function toRefusal(text: string): Refusal {
  return new Refusal('BAD_REQUEST', text)
}
