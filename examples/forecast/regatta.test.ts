import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readProject } from '../../src/config/index.ts'
import { parseParams } from './params.ts'

const project = await readProject(import.meta.dirname, {})

describe('regatta.yaml', () => {
  it('asks for a shadow race of independent series by squared loss', () => {
    const { loss, mode, prediction, task, truth } = project.race
    assert.deepEqual(
      { loss, mode, prediction, task, by: truth.by },
      { loss: { kind: 'squared' }, mode: 'shadow', prediction: '[-1][0]', task: 'regression', by: 'series' },
    )
  })

  it('gives train.ts params that it takes, and data that are there', () => {
    const { train } = project
    assert.deepEqual(parseParams(JSON.stringify(train?.params)), train?.params)
    assert.ok(train?.data.every(path => existsSync(join(import.meta.dirname, path))))
    assert.equal(train?.data.length, 1)
  })
})
