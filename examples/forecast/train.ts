// Trains the recurrent network on data/series.csv and leaves model.onnx: node train.ts
// Reads REGATTA_PARAMS (JSON) and REGATTA_OUTPUT (folder); prints one JSON line per epoch.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { splitLayers, toNetwork } from './network.ts'
import { toOnnx } from './onnx.ts'
import { parseParams } from './params.ts'
import { parseCsv } from './series.ts'
import { trainNetwork } from './training.ts'
import { toWindows } from './windows.ts'

const params = parseParams(process.env['REGATTA_PARAMS'] ?? '{}')
const output = process.env['REGATTA_OUTPUT'] ?? 'model'

const series = parseCsv(readFileSync(join(import.meta.dirname, 'data', 'series.csv'), 'utf8'))
const windows = toWindows(series.map(day => day.value))
const network = trainNetwork(
  toNetwork(params.hidden, params.seed),
  windows,
  { epochs: params.epochs, learningRate: params.learning_rate },
  epoch => console.log(JSON.stringify(epoch)),
)

mkdirSync(output, { recursive: true })
writeFileSync(join(output, 'model.onnx.part'), toOnnx(splitLayers(network), windows.steps))
renameSync(join(output, 'model.onnx.part'), join(output, 'model.onnx'))
