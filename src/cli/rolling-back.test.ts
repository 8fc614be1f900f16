import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ChangeJson, DeployRequestJson, StatusJson } from '../control/index.ts'
import { toStatusJson } from '../control/testing/status.ts'
import { rollBack } from './rolling-back.node.ts'

const toDigest = (version: number): string => `sha256:${String(version).repeat(64)}`

function toChange(epoch: number, version: number): ChangeJson {
  const variants = [{ name: 'a', version, digest: toDigest(version), role: 'champion', weight: 1 }] as const
  return { epoch, at: '2026-01-01T00:00:00.000Z', kind: 'deploy', by: 'ann@lab', reason: '', variants }
}

/** A deployment whose champion is version 3, with version 2 standing by, after version 1. */
function openClient() {
  const asked: string[] = []
  const [champion = assert.fail()] = toStatusJson({ version: 3, digest: toDigest(3) }).variants
  let status: StatusJson = {
    ...toStatusJson({ version: 3, digest: toDigest(3) }),
    variants: [champion, { ...champion, name: 'b', role: 'standby', version: 2, digest: toDigest(2) }],
  }
  return {
    asked,
    status: async () => status,
    history: async () =>
      ({ schema: 'regatta/history/v1', changes: [toChange(3, 3), toChange(2, 2), toChange(1, 1)] }) as const,
    async rollback(reason?: string) {
      asked.push(`rollback (${reason})`)
      return { schema: 'regatta/promote/v1', champion: 'b', version: 2, previous: 'a', epoch: 4 } as const
    },
    async deploy({ version, digest }: DeployRequestJson, reason?: string) {
      asked.push(`deploy ${version} (${reason})`)
      status = toStatusJson({ version, digest })
      const [variant = assert.fail()] = status.variants
      const { epoch } = status
      return {
        schema: 'regatta/deploy/v1',
        variant: variant.name,
        version,
        digest,
        role: 'champion',
        epoch,
        changed: true,
      } as const
    },
  }
}

const call = { signal: new AbortController().signal, clock: Date.now, err: () => {}, terminal: undefined }

describe('rollBack()', () => {
  for (const version of [undefined, '2']) {
    it(`asks for what stands by, where ${version === undefined ? 'no version' : 'its version'} is named`, async () => {
      const client = openClient()
      assert.equal((await rollBack(call, client, { version, reason: 'worse' })).champion, 'b')
      assert.deepEqual(client.asked, ['rollback (worse)'])
    })
  }

  it('deploys an earlier champion again, from its image, and waits for it', async () => {
    const client = openClient()
    const promoted = await rollBack(call, client, { version: '1', reason: undefined })
    assert.deepEqual([promoted.champion, promoted.version, promoted.previous], ['a', 1, 'a'])
    assert.deepEqual(client.asked, ['deploy 1 (rollback to version 1)'])
  })

  for (const [version, code, words] of [
    ['3', 'ALREADY_CHAMPION', /it is the champion already/],
    ['7', 'ROLLBACK_UNKNOWN', /never the champion here/],
    ['first', 'ROLLBACK_VERSION', /Cannot read "first"/],
  ] as const) {
    it(`refuses ${version} with ${code}`, async () => {
      const client = openClient()
      await assert.rejects(rollBack(call, client, { version, reason: undefined }), { code, message: words })
      assert.deepEqual(client.asked, [])
    })
  }
})
