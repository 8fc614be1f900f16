import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { bytes, text, value, varint } from '../../src/train/testing/onnx-model.ts'

/** Weights are made in blocks of this size. */
const BLOCK_BYTES = 4 << 20
const COLUMNS = 256

/**
 * Writes an ONNX model y[batch, 256] = x[batch, n] · w[n, 256] of about `sizeBytes`, whose float32 weights are drawn
 * from a normal distribution, as trained ones look to a compressor. Another `seed` gives other weights.
 */
export function writeModel(path: string, sizeBytes: number, seed: number): void {
  const rows = Math.max(1, Math.floor(sizeBytes / 4 / COLUMNS))
  const rawBytes = rows * COLUMNS * 4
  const tensor = [...varint(1, rows), ...varint(1, COLUMNS), ...varint(2, 1), ...text(8, 'w'), ...header(9, rawBytes)]
  const node = [...text(1, 'x'), ...text(1, 'w'), ...text(2, 'y'), ...text(4, 'MatMul')]
  const before = [...bytes(1, node), ...text(2, 'bench'), ...header(5, tensor.length + rawBytes), ...tensor]
  const after = [...bytes(11, value('x', 1, ['batch', rows])), ...bytes(12, value('y', 1, ['batch', COLUMNS]))]
  const graphBytes = before.length + rawBytes + after.length
  // A new file, so that links to the old one keep what they have.
  rmSync(path, { force: true })
  const file = openSync(path, 'wx')
  try {
    const opset = bytes(8, varint(2, 13))
    writeSync(file, Uint8Array.from([...varint(1, 8), ...opset, ...header(7, graphBytes), ...before]))
    for (let left = rawBytes, block = 0; left > 0; left -= BLOCK_BYTES, block += 1) {
      writeSync(file, makeWeights(seed * 10_000 + block).subarray(0, Math.min(left, BLOCK_BYTES)))
    }
    writeSync(file, Uint8Array.from(after))
  } finally {
    closeSync(file)
  }
}

/** Tag and length of a length-delimited field whose content follows. */
function header(field: number, length: number): number[] {
  // The number of a varint field is that field's content; its tag differs in the last three bits alone.
  const [, ...size] = varint(1, length)
  return [(field << 3) | 2, ...size]
}

/** Source: Box and Muller 1958, "A Note on the Generation of Random Normal Deviates"; mulberry32 for the uniform. */
function makeWeights(seed: number): Uint8Array {
  const weights = new Float32Array(BLOCK_BYTES / 4)
  let state = seed
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32
  }
  for (let i = 0; i < weights.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform())) * 0.05
    const angle = 2 * Math.PI * uniform()
    weights[i] = radius * Math.cos(angle)
    weights[i + 1] = radius * Math.sin(angle)
  }
  return new Uint8Array(weights.buffer)
}
