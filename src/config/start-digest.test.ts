import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseProject } from './parse.ts'
import { toStartDigest } from './start-digest.ts'

const digestOf = (text: string): string => toStartDigest(parseProject(text, { folder: '/project', env: {} }))

describe('toStartDigest()', () => {
  const digest = digestOf('name: shop')
  it('tells what a running regatta has not read yet', () => {
    for (const change of ['race: { minGain: 1 }', 'serve: { replicas: 2 }', 'targets: { local: { httpPort: 0 } }'])
      assert.notEqual(digestOf(`name: shop\n${change}`), digest, change)
  })
  it('does not mind what says the same, nor what is read each time', () => {
    const same = 'name: shop # the same\nrace: { loss: squared }\ntrain: { run: python train.py }'
    assert.equal(digestOf(same), digest)
  })
})
