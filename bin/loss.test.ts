import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusJson } from '../src/control/index.ts'
import { toLinearModel } from '../src/train/testing/onnx-model.ts'
import { askMany } from './testing/client.ts'
import { makePlace, type Place } from './testing/place.ts'

type Replica = StatusJson['variants'][number]['replicas'][number]

async function readReplicas(place: Place): Promise<readonly Replica[]> {
  return (await place.json<StatusJson>(['status'])).variants[0]?.replicas ?? []
}

/** Replaces the model under a running deployment: a replica that starts again has the other one. */
function replaceModel(place: Place, weight: number): void {
  const models = join(place.folder, '.regatta/local/models')
  for (const name of readdirSync(models))
    writeFileSync(join(models, name, '1', 'model.onnx'), toLinearModel({ weight }))
}

/** Waits until the replica is ready again under another process. */
async function untilRestarted({ name, pid }: Replica, place: Place): Promise<void> {
  for (let looks = 1; ; looks += 1) {
    const now = (await readReplicas(place)).find(one => one.name === name)
    if (now?.state === 'ready' && now.pid !== pid) return
    assert.ok(looks < 60, JSON.stringify(now))
    await sleep(500)
  }
}

describe('regatta status', () => {
  it('names the replica whose predictions lose far more than those of its peers', async () => {
    await using place = makePlace()
    for (const verb of ['train', 'pack']) await place.json([verb])
    const { gateway } = await place.json<{ readonly gateway: string }>(['deploy'])
    const [wrong, right] = await readReplicas(place)
    assert.ok(wrong?.pid && right)
    replaceModel(place, 5)
    process.kill(wrong.pid, 'SIGKILL')
    await untilRestarted(wrong, place)
    const truths = join(place.folder, 'truths.json')
    for (let rounds = 1; ; rounds += 1) {
      const answers = await askMany(gateway, 1, 100)
      const lines = answers.map(({ prediction }, index) => ({ prediction, value: (1 + index) * 1.01 }))
      writeFileSync(truths, JSON.stringify(lines))
      await place.json(['truth', truths])
      const replicas = await readReplicas(place)
      const found = replicas.find(({ name }) => name === wrong.name)
      assert.equal(replicas.find(({ name }) => name === right.name)?.code, null)
      if (found?.code === 'LOSS_FAR_FROM_PEERS') {
        assert.equal(found.state, 'ready')
        assert.match(found.reason ?? '', /100 % of \d+ pairs.*mean loss .*regatta logs/)
        return
      }
      assert.ok(rounds < 20, JSON.stringify(replicas))
    }
  })
})
