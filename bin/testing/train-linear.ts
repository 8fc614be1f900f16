import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toLinearModel } from '../../src/train/testing/onnx-model.ts'

/* A training command for tests: y = weight · x, or hidden / 100 · x, "trained" in no time. */

const params: object = JSON.parse(process.env['REGATTA_PARAMS'] ?? '{}')
const { hidden = 100, weight = Number(hidden) / 100 } = params as { hidden?: number; weight?: number }
for (let epoch = 1; epoch <= 3; epoch += 1) console.log(JSON.stringify({ epoch, loss: 1 / epoch }))
const folder = process.env['REGATTA_OUTPUT'] ?? 'model'
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'model.onnx'), toLinearModel({ weight }))
