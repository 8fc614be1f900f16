import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { PredictionLogSchema, toMessageBytes } from '../../tensor/messages.ts'
import { openPlace } from '../testing/place.ts'
import { toPredictRecord, toRecord } from '../testing/tf-record.ts'
import { readWarmUpRequests, WARM_UP_FILES } from './warm-up-requests.node.ts'

const MODEL = {
  inputs: [{ name: 'x', dtype: 'float32', shape: [-1, 2], axes: [] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: [-1, 2] }],
} as const

const toBody = (rows: number) => ({
  inputs: [{ name: 'x', shape: [rows, 2], datatype: 'FP32', data: new Array(rows * 2).fill(1) }],
})

/** Reads a folder with the given files. */
async function read(files: Partial<Record<keyof typeof WARM_UP_FILES, string | Uint8Array>>) {
  await using place = await openPlace()
  for (const [kind, path] of Object.entries(WARM_UP_FILES)) {
    const content = files[kind === 'tfs' ? 'tfs' : 'json']
    if (content === undefined) continue
    const whole = join(place.basePath, path)
    await mkdir(dirname(whole), { recursive: true })
    await writeFile(whole, content)
  }
  const requests = await readWarmUpRequests(place.basePath, MODEL)
  return requests.map(request => ({ ...request, where: request.where.replace(`${place.basePath}/`, '') }))
}

const toRows = (requests: Awaited<ReturnType<typeof read>>): unknown[] =>
  requests.map(({ where, inputs, outputs }) => [where, inputs.get('x')?.shape[0], outputs])

describe('readWarmUpRequests()', () => {
  it('finds none in most folders', async () => assert.deepEqual(await read({}), []))

  it('reads one body, or a list of them', async () => {
    assert.deepEqual(toRows(await read({ json: JSON.stringify(toBody(3)) })), [['warmup.json, request 1', 3, ['y']]])
    assert.deepEqual(toRows(await read({ json: JSON.stringify([toBody(1), toBody(2)]) })), [
      ['warmup.json, request 1', 1, ['y']],
      ['warmup.json, request 2', 2, ['y']],
    ])
  })

  it("reads TensorFlow Serving's records before the bodies, and leaves out those of other kinds", async () => {
    const classify = toMessageBytes(PredictionLogSchema, { logType: { case: 'classifyLog', value: {} } })
    const tfs = Buffer.concat([toPredictRecord(2, 2), toRecord(classify), toPredictRecord(4, 2)])
    assert.deepEqual(toRows(await read({ tfs, json: JSON.stringify(toBody(1)) })), [
      [`${WARM_UP_FILES.tfs}, request 1`, 2, ['y']],
      [`${WARM_UP_FILES.tfs}, request 3`, 4, ['y']],
      ['warmup.json, request 1', 1, ['y']],
    ])
  })

  const wrong: readonly [name: string, files: Parameters<typeof read>[0], message: RegExp][] = [
    ['a file that is not JSON', { json: '{' }, /^Cannot use the warm-up requests of the model: .*\(.*warmup\.json\)$/],
    ['a list of something else', { json: '[1,2]' }, /expected a request of the Open Inference Protocol/],
    [
      'a request of another input',
      { json: JSON.stringify([toBody(1), { inputs: [{ name: 'z' }] }]) },
      /Unexpected input "z": expected "x" \(.*warmup\.json, request 2\)$/,
    ],
    [
      'a request of another shape',
      { json: JSON.stringify({ inputs: [{ name: 'x', shape: [2, 3], datatype: 'FP32', data: [1, 2, 3, 4, 5, 6] }] }) },
      /expected shape \[-1,2\], found \[2,3\]/,
    ],
    ['too many requests', { json: JSON.stringify(new Array(1001).fill(toBody(0))) }, /more than 1000 requests/],
    [
      'a record of another shape',
      { tfs: toPredictRecord(1, 3) },
      /expected shape \[-1,2\], found \[1,3\] \(.*, request 1\)$/,
    ],
    ['a damaged record', { tfs: toRecord(Buffer.from('1')).subarray(1) }, /a wrong checksum of the bytes from 0 on/],
  ]
  for (const [name, files, message] of wrong) {
    it(`refuses ${name}`, async () => {
      await assert.rejects(read(files), { code: 'MODEL_WARM_UP', message })
    })
  }
})
