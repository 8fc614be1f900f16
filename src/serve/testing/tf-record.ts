import { PredictionLogSchema, toMessageBytes } from '../../tensor/messages.ts'
import { toMaskedCrc } from '../tfs/record.ts'

/** A record of a TFRecord file. */
export function toRecord(data: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(data.length))
  return Buffer.concat([length, toCrcBytes(length), data, toCrcBytes(data)])
}

/** A record of a request to predict, with ones as `x`: float32 of the given shape. */
export function toPredictRecord(...sizes: readonly number[]): Uint8Array {
  const dim = sizes.map(size => ({ size: BigInt(size) }))
  // One value stands for all that follow.
  const x = { dtype: FLOAT, tensorShape: { dim }, floatVal: [1] }
  const value = { request: { inputs: { x } } }
  return toRecord(toMessageBytes(PredictionLogSchema, { logType: { case: 'predictLog', value } }))
}

/** `DT_FLOAT`. */
const FLOAT = 1

function toCrcBytes(bytes: Uint8Array): Uint8Array {
  const crc = Buffer.alloc(4)
  crc.writeUInt32LE(toMaskedCrc(bytes))
  return crc
}
