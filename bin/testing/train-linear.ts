import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toLinearModel } from '../../src/train/testing/onnx-model.ts'

/* A training command for tests: y = weight · x, "trained" in no time. */

const params: unknown = JSON.parse(process.env['REGATTA_PARAMS'] ?? '{}')
const weight = typeof params === 'object' && params !== null && 'weight' in params ? Number(params.weight) : 1
for (let epoch = 1; epoch <= 3; epoch += 1) console.log(JSON.stringify({ epoch, loss: 1 / epoch }))
const folder = process.env['REGATTA_OUTPUT'] ?? 'model'
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'model.onnx'), toLinearModel({ weight }))
