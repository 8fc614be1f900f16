import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toNetwork } from './network.ts'
import { toRandom } from './random.ts'
import { toWalkValues } from './series.ts'
import { type Epoch, trainNetwork } from './training.ts'
import { toWindows } from './windows.ts'

const windows = toWindows(toWalkValues(201, 0, toRandom(4)), 20)

function train(seed: number, threads?: number): { epochs: Epoch[]; matrix: Float32Array } {
  const epochs: Epoch[] = []
  const options = { epochs: 60, learningRate: 0.01, ...(threads === undefined ? {} : { threads }) }
  const { matrix } = trainNetwork(toNetwork(12, seed), windows, options, epoch => epochs.push(epoch))
  return { epochs, matrix }
}

describe('trainNetwork()', () => {
  it('lowers the loss and tells of every epoch', () => {
    const { epochs } = train(1)
    assert.deepEqual(
      epochs.map(({ epoch }) => epoch),
      Array.from({ length: 60 }, (_, i) => i + 1),
    )
    const [first, last] = [epochs[0]?.loss ?? 0, epochs.at(-1)?.loss ?? Number.NaN]
    assert.ok(last < first / 4, `loss ${first} became ${last}`)
    for (const { loss, mse } of epochs) assert.equal(mse, loss / 200)
  })

  it('ends with the same bits for the same seed, and others for another', () => {
    assert.deepEqual(train(1).matrix, train(1).matrix)
    assert.notDeepEqual(train(1).matrix, train(2).matrix)
  })

  for (const threads of [2, 3, 7]) {
    it(`ends with the same bits on ${threads} threads as on one`, () => {
      assert.deepEqual(train(1, threads), train(1, 1))
    })
  }
})
