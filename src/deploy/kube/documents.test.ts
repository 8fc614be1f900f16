import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Kube } from './client.node.ts'
import { pruneDocuments, readDocuments, writeDocuments } from './documents.node.ts'
import { at } from './object.ts'

const IMAGE = `sha256:${'a'.repeat(64)}`

/** An API that keeps the last object that was applied. */
function toKube(): Kube {
  let kept: unknown
  const ask: Kube['ask'] = async (method, path, { body } = {}) => {
    if (method === 'GET') return path.includes('?') ? { items: kept === undefined ? [] : [kept] } : undefined
    assert.equal(at(body, 'metadata', 'labels', 'app.kubernetes.io/managed-by'), 'regatta')
    kept = body
    return body
  }
  return { namespace: 'team', server: 'https://cluster', ask } as Kube
}

describe('readDocuments()', () => {
  it('reads what writeDocuments() wrote, byte by byte', async () => {
    const kube = toKube()
    assert.deepEqual(await readDocuments(kube, 'm'), [])
    const documents = [new Uint8Array([0, 255, 10]), new TextEncoder().encode('{}')]
    await writeDocuments(kube, 'm', { image: IMAGE, documents })
    assert.deepEqual(await readDocuments(kube, 'm'), documents)
  })

  it('lacks what found no room', async () => {
    const kube = toKube()
    const [small, half, large] = [10, 400_000, 800_000].map(size => new Uint8Array(size))
    const documents = [small, large, half, half, small].map(one => one ?? assert.fail())
    await writeDocuments(kube, 'm', { image: IMAGE, documents })
    const kept = await readDocuments(kube, 'm')
    assert.deepEqual(
      kept.map(({ byteLength }) => byteLength),
      [10, 400_000, 10],
    )
  })
})

describe('pruneDocuments()', () => {
  it('keeps what runs and the last others, and deletes the oldest', async () => {
    const toMap = (number: number): object => {
      const id = String(number).padStart(12, '0')
      const creationTimestamp = new Date(number * 1000).toISOString()
      const labels = { 'regatta.dev/image': id }
      return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `m-image-${id}`, labels, creationTimestamp } }
    }
    const deleted: string[] = []
    const ask: Kube['ask'] = async (method, path) => {
      if (method === 'DELETE') deleted.push(/image-0*(\d+)/.exec(path)?.[1] ?? path)
      return method === 'GET'
        ? { items: [5, 2, 3, 1, 4, ...Array.from({ length: 18 }, (_, at) => at + 6)].map(toMap) }
        : {}
    }
    const kube = { namespace: 'team', server: 'https://cluster', ask } as Kube
    await pruneDocuments(kube, 'm', [`sha256:${'2'.padStart(12, '0')}${'0'.repeat(52)}`])
    assert.deepEqual(deleted, ['3', '1'])
  })
})
