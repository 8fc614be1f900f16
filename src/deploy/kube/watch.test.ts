import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { toPath } from './kinds.ts'
import type { KubeObject } from './object.ts'
import { TestCluster } from './testing/cluster.ts'
import { ObjectWatch } from './watch.node.ts'

const toPod = (name: string, labels: Record<string, string> = {}): KubeObject => {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels } }
}

describe('ObjectWatch', () => {
  let cluster: TestCluster
  let end: AbortController
  const aways: string[] = []
  beforeEach(() => {
    cluster = new TestCluster()
    end = new AbortController()
    aways.length = 0
  })
  afterEach(() => end.abort())

  const put = (name: string, pod = toPod(name)): void => cluster.put(toPath('Pod', 'team', name), pod)
  const drop = (name: string): void => cluster.put(toPath('Pod', 'team', name), undefined)

  async function open(maxObjects = 100): Promise<ObjectWatch> {
    const options = {
      kind: 'Pod',
      selector: '',
      maxObjects,
      onChange: () => {},
      onAway: (why: string) => aways.push(why),
    }
    const watch = new ObjectWatch(cluster.kube, options, end.signal)
    await watch.synced
    return watch
  }

  async function untilNames(watch: ObjectWatch, wanted: readonly string[]): Promise<void> {
    const read = (): readonly string[] => watch.objects.map(({ metadata }) => metadata.name)
    for (let looks = 0; read().join() !== wanted.join() && looks < 1000; looks += 1) await sleep(10)
    assert.deepEqual(read(), wanted)
  }

  /** Where each list (undefined) and each watch began. */
  const listBegins = (): readonly (string | null)[] => cluster.asked.map(({ query }) => query.get('resourceVersion'))

  it('begins with what is there, and follows what comes, changes and goes', async () => {
    put('a')
    const watch = await open()
    await untilNames(watch, ['a'])
    put('b')
    await untilNames(watch, ['a', 'b'])
    put('a', toPod('a', { changed: 'yes' }))
    await untilNames(watch, ['b', 'a'])
    drop('b')
    await untilNames(watch, ['a'])
  })

  it('goes on from where it was when the API ends it, by a bookmark too', async () => {
    put('a')
    const watch = await open()
    put('b')
    await untilNames(watch, ['a', 'b'])
    cluster.tell(toPath('Pod', 'team'), {
      type: 'BOOKMARK',
      object: { kind: 'Pod', apiVersion: 'v1', metadata: { name: '', resourceVersion: '2' } },
    })
    cluster.cut()
    put('c')
    await untilNames(watch, ['a', 'b', 'c'])
    assert.deepEqual(listBegins(), [null, '1', '2'])
    assert.deepEqual(aways, [])
  })

  it('lists anew where the API no longer knows what came since, and forgets what has gone', async () => {
    put('a')
    put('b')
    const watch = await open()
    cluster.tell(toPath('Pod', 'team'), { type: 'ERROR', object: { kind: 'Status', message: 'too old', code: 410 } })
    let refused = 0
    cluster.refuse = () => {
      refused += 1
      return { status: 503, body: 'starting' }
    }
    for (let looks = 0; refused < 2 && looks < 1000; looks += 1) await sleep(10)
    drop('a')
    cluster.refuse = () => undefined
    await untilNames(watch, ['b'])
    assert.deepEqual(aways, ['Pod: too old'])
    assert.ok(listBegins().filter(begin => begin === null).length >= 2)
  })

  it('tells whoever waits that it may not look', async () => {
    cluster.refuse = () => ({ status: 403, body: { message: 'pods is forbidden' } })
    await assert.rejects(open(), { code: 'KUBE_FORBIDDEN' })
  })

  it('keeps no more than it may, the last that changed', async () => {
    const watch = await open(2)
    for (const name of ['a', 'b', 'c']) put(name)
    await untilNames(watch, ['b', 'c'])
  })
})
