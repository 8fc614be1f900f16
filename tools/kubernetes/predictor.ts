import { Client, credentials } from '@grpc/grpc-js'
import { PredictionService, parseMessage, toMessageBytes } from '../../src/tensor/messages.ts'

/** A client of TensorFlow Serving's gRPC, with one connection. */
export interface Predictor extends Disposable {
  /** The answer of a model of one number to one. */
  predict(model: string, x: number): Promise<readonly number[]>
}

/** DT_FLOAT of TensorFlow's types.proto. */
const FLOAT = 1
const TIMEOUT_MS = 20_000

/** Connects to `HOST:PORT`. */
export function openPredictor(address: string): Predictor {
  const client = new Client(address, credentials.createInsecure())
  const { input, output } = PredictionService.method.predict
  return {
    predict: (model, x) =>
      new Promise((resolve, reject) => {
        const tensorShape = { dim: [{ size: 1n }, { size: 1n }] }
        const bytes = toMessageBytes(input, {
          modelSpec: { name: model },
          inputs: { x: { dtype: FLOAT, tensorShape, floatVal: [x] } },
        })
        const path = '/tensorflow.serving.PredictionService/Predict'
        const deadline = Date.now() + TIMEOUT_MS
        const asIs = (buffer: Buffer): Buffer => buffer
        client.makeUnaryRequest(path, asIs, asIs, Buffer.from(bytes), { deadline }, (error, answer) => {
          if (error !== null || answer === undefined) reject(error ?? new Error('no answer'))
          else resolve(Object.values(parseMessage(output, answer).outputs)[0]?.floatVal ?? [])
        })
      }),
    [Symbol.dispose]: () => client.close(),
  }
}
