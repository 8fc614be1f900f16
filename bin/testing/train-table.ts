import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toModel } from '../../src/serve/testing/onnx-model.ts'

/*
 * A training command for tests: y = table[x] for x = 0, 1, …, 9. With `broken`, the table has so many entries less, and
 * the model fails where they are looked up; `off` is how far each entry is from the truth, 2 · x. With `slow`, an answer
 * waits for so many products of matrices, whose result is 0.
 */

const params: object = JSON.parse(process.env['REGATTA_PARAMS'] ?? '{}')
const { broken = 0, off = 0, slow = 0 } = params as { broken?: number; off?: number; slow?: number }
const folder = process.env['REGATTA_OUTPUT'] ?? 'model'
mkdirSync(folder, { recursive: true })
const values = Float32Array.from({ length: 10 - broken }, (_, x) => 2 * x + off)
const SIZE = 256
const idle = [
  { operator: 'Gather', inputs: ['cube', 'x'], outputs: ['s0'] },
  ...Array.from({ length: slow }, (_, at) => ({
    operator: 'MatMul',
    inputs: [`s${at}`, 'matrix'],
    outputs: [`s${at + 1}`],
  })),
  { operator: 'ReduceSum', inputs: [`s${slow}`, 'axes'], outputs: ['nothing'], attributes: { keepdims: 0 } },
  { operator: 'Add', inputs: ['found', 'nothing'], outputs: ['y'] },
]
const matrices = {
  cube: { shape: [10, SIZE, SIZE], values: new Float32Array(10 * SIZE * SIZE) },
  matrix: { shape: [SIZE, SIZE], values: new Float32Array(SIZE * SIZE) },
  axes: { shape: [2], values: BigInt64Array.of(2n, 3n) },
}
const model = toModel({
  nodes: [
    { operator: 'Gather', inputs: ['table', 'x'], outputs: [slow > 0 ? 'found' : 'y'] },
    ...(slow > 0 ? idle : []),
  ],
  inputs: [{ name: 'x', dtype: 'int64', shape: ['batch', 1] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 1] }],
  constants: { table: { shape: [values.length], values }, ...(slow > 0 ? matrices : {}) },
})
writeFileSync(join(folder, 'model.onnx'), model)
