import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Kube } from './client.node.ts'
import { uninstall } from './install.node.ts'
import { KINDS } from './kinds.ts'

/** An API that has one object of each kind, and notes what is deleted. */
function toKube(deleted: string[]): Kube {
  const ask: Kube['ask'] = async (method, path) => {
    if (method === 'GET') return { items: [{ metadata: { name: 'one' } }] }
    deleted.push(/\/([a-z]+)\/one\?/.exec(path)?.[1] ?? path)
    return {}
  }
  return { namespace: 'team', server: 'https://cluster', ask } as Kube
}

describe('uninstall()', () => {
  it('deletes all but the volume claim, and what control writes once it may not make it again', async () => {
    const deleted: string[] = []
    const { kept } = await uninstall(toKube(deleted), 'm')
    assert.deepEqual(kept, ['one'])
    const wanted = Object.values(KINDS).map(({ plural }) => plural)
    assert.deepEqual(deleted.toSorted(), wanted.filter(plural => plural !== 'persistentvolumeclaims').toSorted())
    const left = deleted.slice(deleted.indexOf('rolebindings'))
    for (const plural of ['leases', 'configmaps', 'services']) assert.ok(left.includes(plural), plural)
    assert.ok(!left.includes('deployments'))
  })
})
