import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toModel } from '../../src/serve/testing/onnx-model.ts'

/*
 * A training command for tests: y = table[x] for x = 0, 1, …, 9. With `broken`, the table has so many entries less, and
 * the model fails where they are looked up; `off` is how far each entry is from the truth, 2 · x.
 */

const params: object = JSON.parse(process.env['REGATTA_PARAMS'] ?? '{}')
const { broken = 0, off = 0 } = params as { broken?: number; off?: number }
const folder = process.env['REGATTA_OUTPUT'] ?? 'model'
mkdirSync(folder, { recursive: true })
const values = Float32Array.from({ length: 10 - broken }, (_, x) => 2 * x + off)
const model = toModel({
  nodes: [{ operator: 'Gather', inputs: ['table', 'x'], outputs: ['y'] }],
  inputs: [{ name: 'x', dtype: 'int64', shape: ['batch', 1] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 1] }],
  constants: { table: { shape: [values.length], values } },
})
writeFileSync(join(folder, 'model.onnx'), model)
