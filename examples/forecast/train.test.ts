import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { splitLayers, toNetwork } from './network.ts'
import { toOnnx } from './onnx.ts'
import { predict } from './rnn.ts'
import { toHistory } from './series.ts'
import { toWalk } from './walks.ts'
import { STEPS, toWindows } from './windows.ts'

process.env['ORT_DISABLE_TELEMETRY'] = '1'
const { InferenceSession, Tensor } = await import('onnxruntime-node')

const folder = mkdtempSync(join(tmpdir(), 'regatta-forecast-'))
after(() => rmSync(folder, { recursive: true }))

function train(params: unknown, output: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(import.meta.dirname, 'train.ts')], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, REGATTA_PARAMS: JSON.stringify(params), REGATTA_OUTPUT: join(folder, output) },
  })
}

describe('toOnnx()', () => {
  for (const hidden of [1, 8, 100]) {
    it(`makes ONNX Runtime answer as a network of ${hidden} units does, for any number of rows`, async () => {
      const network = toNetwork(hidden, 2)
      const layers = { ...splitLayers(network), denseBias: 0.5 }
      const session = await InferenceSession.create(toOnnx(layers, STEPS))
      for (const rows of [1, 7]) {
        const x = Float32Array.from(Array.from({ length: rows }, (_, n) => toWalk(n).instance).flat(2))
        const { y } = await session.run({ x: new Tensor('float32', x, [rows, STEPS, 1]) })
        assert.deepEqual(y?.dims, [rows, STEPS, 1])
        const wanted = predict(network, x, STEPS)
        wanted.forEach((answer, i) => {
          const error = Math.abs(Number(y?.data[i]) - (answer + 0.5))
          assert.ok(error <= 1e-4 * Math.max(1, Math.abs(answer)), `answer ${i}: off by ${error}`)
        })
      }
    })
  }
})

describe('train.ts', () => {
  it('prints one JSON line per epoch and leaves the same model every time', () => {
    const params = { hidden: 12, epochs: 3 }
    const [first, second] = [train(params, 'first'), train(params, 'second')]
    assert.equal(first.status, 0, first.stderr)
    const lines = first.stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    assert.deepEqual(
      lines.map(line => line.epoch),
      [1, 2, 3],
    )
    for (const { loss, mse } of lines) assert.ok(Math.abs(loss / 6800 - mse) < 1e-6 * mse)
    assert.deepEqual(readdirSync(join(folder, 'first')), ['model.onnx'])
    assert.equal(first.stdout, second.stdout)
    const readModel = (name: string): Buffer => readFileSync(join(folder, name, 'model.onnx'))
    assert.ok(readModel('first').equals(readModel('second')))
  })

  it('leaves a model that has, by ONNX Runtime, the error that was printed last', async () => {
    const { stdout } = train({ hidden: 20, epochs: 40, learning_rate: 0.01 }, 'checked')
    const { mse } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
    const { count, steps, x, y } = toWindows(toHistory().map(day => day.value))
    const session = await InferenceSession.create(join(folder, 'checked', 'model.onnx'))
    const answers = await session.run({ x: new Tensor('float32', x, [count, steps, 1]) })
    const found = y.reduce((sum, wanted, i) => sum + (Number(answers['y']?.data[i]) - wanted) ** 2, 0) / y.length
    assert.ok(Math.abs(found - mse) <= 1e-4 * mse, `${mse} printed, ${found} found`)
  })

  const refused: [string, unknown, RegExp][] = [
    ['no unit at all', { hidden: 0 }, /param hidden: expected a whole number from 1 to 4096, found 0/],
    ['a word for a rate', { learning_rate: 'fast' }, /param learning_rate: expected a number above 0, found "fast"/],
    ['a list of params', null, /expected an object, found null/],
  ]
  for (const [name, params, message] of refused) {
    it(`refuses ${name} and leaves no model`, () => {
      const { status, stderr } = train(params, 'refused')
      assert.equal(status, 1)
      assert.match(stderr, message)
      assert.ok(!readdirSync(folder).includes('refused'))
    })
  }
})
