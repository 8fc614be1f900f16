import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { askMany } from '../../bin/testing/client.ts'
import { type Finished, TRAIN_LINEAR } from '../../bin/testing/place.ts'
import { tellRace } from '../../bin/testing/race-story.ts'
import type { RaceJson } from '../../src/control/index.ts'
import { isObject } from '../../src/core/json.ts'
import { type Events, findDatabaseProblem, openEvents } from './database.ts'
import { type Harbour, openHarbour, type ProjectOptions } from './namespace.ts'
import { makeVolume, removeVolume } from './volume.ts'

/** The project of the story, in a namespace of its own, with its first version pushed. */
async function openStory(options: ProjectOptions): Promise<Harbour> {
  const harbour = await openHarbour({ replicas: 2, train: TRAIN_LINEAR, ...options })
  for (const verb of ['train', 'pack', 'push']) await harbour.regatta([verb])
  return harbour
}

/** Ends a pod of control at once. */
async function killControl({ admin, namespace }: Harbour, pod: string): Promise<void> {
  await admin.ask('DELETE', `/api/v1/namespaces/${namespace}/pods/${pod}?gracePeriodSeconds=0`)
}

async function listControls({ admin, namespace }: Harbour): Promise<readonly string[]> {
  const query = 'labelSelector=app.kubernetes.io/component%3Dcontrol'
  const pods = await admin.ask('GET', `/api/v1/namespaces/${namespace}/pods?${query}`)
  const items = isObject(pods) && Array.isArray(pods['items']) ? pods['items'] : []
  return items.map(pod => String(pod.metadata.name))
}

describe('events on a volume claim', () => {
  let harbour: Harbour
  before(async () => {
    harbour = await openStory({ kubernetes: 'storage: { size: 64Mi }' })
    await makeVolume(harbour)
  })
  after(async () => {
    await harbour?.[Symbol.asyncDispose]()
    if (harbour !== undefined) await removeVolume(harbour)
  })

  it('are remembered by the next pod of control', async () => {
    const { gateway } = await harbour.regatta<{ readonly gateway: string }>(['deploy'])
    const [answer] = await askMany(gateway, 1, 50)
    const trace = (): Promise<Finished> => harbour.run(['trace', answer?.prediction ?? '', '--json'])
    let before = await trace()
    for (let looks = 1; before.code !== 0; looks += 1) {
      assert.ok(looks < 60, before.out)
      before = await trace()
    }
    const [pod = ''] = await listControls(harbour)
    await killControl(harbour, pod)
    assert.equal((await trace()).out, before.out)
  })

  it('stay when the deployment is deleted, which says so', async () => {
    const { code, err } = await harbour.run(['delete', '--yes'])
    assert.equal(code, 0, err)
    assert.match(err, /kept volume claim linear-data.*kubectl delete pvc linear-data/)
    const path = `/api/v1/namespaces/${harbour.namespace}/persistentvolumeclaims/linear-data`
    assert.ok(await harbour.admin.ask('GET', path))
  })
})

const PROBLEM = findDatabaseProblem()

describe('the race, with events in a PostgreSQL', { skip: PROBLEM ?? false }, () => {
  let harbour: Harbour
  let events: Events
  before(async () => {
    harbour = await openStory({ kubernetes: 'database: { secret: events }' })
    events = await openEvents(harbour)
  })
  after(async () => {
    await harbour?.[Symbol.asyncDispose]()
    await events?.[Symbol.asyncDispose]()
  })

  tellRace(() => ({ target: 'kubernetes', place: harbour.place }))

  async function readLeader(): Promise<string> {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${harbour.namespace}/leases/linear-control`
    const lease = await harbour.admin.ask('GET', path)
    return isObject(lease) && isObject(lease['spec']) ? String(lease['spec']['holderIdentity']) : ''
  }

  it('goes on under the other control when the one that leads is killed', async () => {
    const before = await harbour.regatta<RaceJson>(['race'])
    const leader = await readLeader()
    const pods = await listControls(harbour)
    assert.ok(pods.length === 2 && pods.includes(leader), `${leader} leads ${pods.join(', ')}`)
    await killControl(harbour, leader)
    let next = await readLeader()
    for (let waited = 0; next === leader || next === ''; waited += 1) {
      assert.ok(waited < 60, `${leader} still leads`)
      await sleep(1000)
      next = await readLeader()
    }
    assert.ok((await listControls(harbour)).includes(next), next)
    const after = await harbour.regatta<RaceJson>(['race'])
    assert.deepEqual([after.race, after.verdict.labels], [before.race, before.verdict.labels])
    await harbour.regatta(['rollback'])
  })
})
