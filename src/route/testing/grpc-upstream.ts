import { GrpcError, type GrpcHandler, type GrpcReply, type GrpcRequest } from '../../core/grpc/grpc.ts'
import { listenGrpc } from '../../core/grpc/server.node.ts'
import { toField } from '../../core/protobuf.ts'
import { toModelInferResponse, toPredictResponse } from '../../tensor/index.ts'

/** The gRPC port of a test's replica. Disposal breaks what is in flight. */
export interface TestGrpcServer extends AsyncDisposable {
  readonly url: string
  readonly seen: readonly GrpcRequest[]
  drain(ms: number): Promise<void>
}

/** Starts it on a free port. The calls of the paths in `streams` take many messages. */
export async function startGrpcServer(handler: GrpcHandler, streams: readonly string[] = []): Promise<TestGrpcServer> {
  const seen: GrpcRequest[] = []
  const server = await listenGrpc(
    () => ({
      handler: call => {
        seen.push(call)
        return handler(call)
      },
      streams: path => streams.includes(path),
    }),
    { port: 0 },
  )
  return {
    url: server.url,
    seen,
    drain: ms => server.drain(ms),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Path of each call that tests make. */
export const PREDICT = '/tensorflow.serving.PredictionService/Predict'
/** The same of V2. */
export const INFER = '/inference.GRPCInferenceService/ModelInfer'

/** Path of V2's streams. */
export const INFER_STREAM = '/inference.GRPCInferenceService/ModelStreamInfer'

/** A `ModelInferResponse` of rows of one value each. */
export function toInferResponse(...values: readonly number[]): Uint8Array {
  const tensor = { dtype: 'float32', shape: [values.length, 1], data: Float32Array.from(values) } as const
  const head = { modelName: 'm', modelVersion: '1', id: '', parameters: new Map(), isRaw: true }
  return toModelInferResponse({ ...head, outputs: [{ name: 'y', tensor, parameters: new Map() }] })
}

/** Answers each message of a stream with those of `answer`: a message is a value, an error or how the stream breaks. */
export function streamingGrpc(answer: (request: Uint8Array) => AsyncIterable<Uint8Array>): GrpcHandler {
  return ({ path, messages }): GrpcReply => {
    if (path !== INFER_STREAM || messages === undefined)
      throw new GrpcError('UNIMPLEMENTED', `no ${path} for a model of streams`)
    return {
      message: (async function* () {
        for await (const request of messages) yield* answer(request)
      })(),
    }
  }
}

/** Answers `Predict` and `ModelInfer` with rows of one value each; it knows no streams. */
export function predictingGrpc(...values: readonly number[]): GrpcHandler {
  const tensor = { dtype: 'float32', shape: [values.length, 1], data: Float32Array.from(values) } as const
  return ({ path }): GrpcReply => {
    if (path === INFER_STREAM) throw new GrpcError('UNIMPLEMENTED', 'Method not found')
    if (path === PREDICT) {
      const head = { modelName: 'm', version: 1, versionLabel: undefined, signatureName: 'serving_default' }
      return { message: toPredictResponse({ ...head, outputs: new Map([['y', tensor]]) }) }
    }
    return { message: toInferResponse(...values) }
  }
}

/** Never answers. */
export const hangingGrpc: GrpcHandler = () => new Promise<GrpcReply>(() => {})

/** A `PredictRequest` with one input of one row, or any message that begins with a `ModelSpec`. */
export function toPredictRequest(choice: { model?: string; version?: number; label?: string } = {}): Uint8Array {
  const { model = 'm', version, label } = choice
  const spec = [toField(1, model)]
  if (version !== undefined) spec.push(toField(2, toField(1, version)))
  if (label !== undefined) spec.push(toField(4, label))
  const shape = toField(2, Buffer.concat([toField(2, toField(1, 1)), toField(2, toField(1, 1))]))
  const tensor = Buffer.concat([toField(1, 1), shape, toField(4, new Uint8Array(new Float32Array([1]).buffer))])
  const input = toField(2, Buffer.concat([toField(1, 'x'), toField(2, tensor)]))
  return Buffer.concat([toField(1, Buffer.concat(spec)), input])
}

/** A `ModelInferRequest` with one raw input of so many rows. */
export function toInferRequest(
  choice: { version?: string; rows?: number; parameters?: Readonly<Record<string, string>> } = {},
): Uint8Array {
  const { version, rows = 1, parameters = {} } = choice
  const fields = [toField(1, 'm')]
  if (version !== undefined) fields.push(toField(2, version))
  for (const [name, value] of Object.entries(parameters))
    fields.push(toField(4, Buffer.concat([toField(1, name), toField(2, toField(3, value))])))
  const shape = [toField(3, rows), toField(3, 1)]
  fields.push(toField(5, Buffer.concat([toField(1, 'x'), toField(2, 'FP32'), ...shape])))
  fields.push(toField(7, new Uint8Array(new Float32Array(rows).buffer)))
  return Buffer.concat(fields)
}
