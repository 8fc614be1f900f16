import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { MODELS, type ModelName, readWanted, writeBenchModel } from './models.ts'

describe('writeBenchModel()', () => {
  const folder = mkdtempSync(join(tmpdir(), 'regatta-bench-'))
  after(() => rmSync(folder, { recursive: true }))
  const answers = { mlp: 3, rnn: 100, cnn: 1000 } as const satisfies Record<ModelName, number>
  const megabytes = { mlp: 0, rnn: 0, cnn: 46.8 } as const satisfies Record<ModelName, number>
  for (const name of Object.keys(MODELS) as ModelName[]) {
    it(`writes ${name} of ${megabytes[name]} MB, which answers with ${answers[name]} numbers that differ`, async () => {
      const model = writeBenchModel(name, folder)
      const numbers = await readWanted(model)
      assert.equal(numbers.length, answers[name])
      assert.ok(numbers.every(Number.isFinite))
      assert.ok(new Set(numbers).size > numbers.length / 2, numbers.slice(0, 5).join(' '))
      assert.ok(Math.abs(statSync(model.path).size / 1e6 - megabytes[name]) < 0.1)
      assert.equal(statSync(model.inputPath).size, model.input.byteLength)
    })
  }
})
