import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DeploymentChange } from './index.ts'
import { makeStore, NOON } from './testing/place.ts'

const toChange = (epoch: number): DeploymentChange => ({
  epoch,
  at: NOON + epoch,
  kind: 'promote',
  by: 'ann@lab',
  reason: `it’s better by ${epoch} %\n`,
  variants: [{ name: 'a', version: epoch, digest: `sha256:${'a'.repeat(64)}`, role: 'champion', weight: 0.5 }],
})

describe('readDeploymentChanges()', () => {
  it('gives the last changes, the newest first, as they came, and each once', async () => {
    await using place = await makeStore()
    assert.deepEqual(await place.store.readDeploymentChanges(5), [])
    for (const epoch of [1, 2, 3]) await place.store.addDeploymentChange(toChange(epoch))
    await place.store.addDeploymentChange({ ...toChange(3), by: 'another' })
    assert.deepEqual(await place.store.readDeploymentChanges(2), [toChange(3), toChange(2)])
    const again = await place.open()
    assert.deepEqual(await again.readDeploymentChanges(5), [3, 2, 1].map(toChange))
  })
})
