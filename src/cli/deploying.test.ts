import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { StatusJson } from '../control/index.ts'
import { toStatusJson } from '../control/testing/status.ts'
import { parseDigest } from '../core/brands.ts'
import { RegattaError } from '../core/errors.ts'
import { untilReady } from './deploying.node.ts'

const DIGESTS = ['a', 'b'].map(letter => parseDigest(`sha256:${letter.repeat(64)}`))

/** A status in which version 1 or 2 of variant a is ready. */
function toStatus(version: 1 | 2): StatusJson {
  return toStatusJson({ version, digest: DIGESTS[version - 1] ?? assert.fail() })
}

describe('untilReady()', () => {
  const { signal } = new AbortController()
  const { variants } = toStatus(1)
  const [deployed = assert.fail()] = variants.map(({ name, ...rest }) => ({ ...rest, variant: name }))

  const told: string[] = []
  function wait(looks: readonly (() => StatusJson)[], awayMs = 0): Promise<StatusJson> {
    const left = [...looks]
    const status = async (): Promise<StatusJson> => (left.shift() ?? assert.fail('nobody should look again'))()
    const call = { signal, clock: Date.now, err: (text: string) => void told.push(text), terminal: undefined }
    return untilReady(call, { status }, deployed, { awayMs })
  }
  const away = (): never => {
    throw new RegattaError('CONTROL_AWAY', 'away', { retryable: true })
  }

  it('ends when the version that was deployed is ready', async () => {
    assert.equal((await wait([() => toStatus(1)])).variants[0]?.version, 1)
  })

  it('says so where another deployment has taken its place', async () => {
    await assert.rejects(wait([() => toStatus(2)]), { code: 'DEPLOY_REPLACED', message: /Version 1 of "a".*version 2/ })
  })

  it('waits for a control that does not answer as long as it may, and no longer', async () => {
    assert.ok(await wait([away, () => toStatus(1)], 60_000))
    await assert.rejects(wait([away]), { code: 'CONTROL_AWAY' })
  })

  const starting = { state: 'starting' } as const
  const unready: [name: string, status: StatusJson][] = [
    ['a replica is missing', { ...toStatus(1), variants: variants.map(one => ({ ...one, wantedReplicas: 2 })) }],
    ['the whole is not ready', { ...toStatus(1), ready: false }],
    [
      'the gateway starts',
      { ...toStatus(1), gateway: { ...toStatus(1).gateway, process: { ...toStatus(1).gateway.process, ...starting } } },
    ],
  ]
  for (const [name, status] of unready) {
    it(`goes on waiting while ${name}`, async () => {
      const end = toStatus(1)
      assert.equal(await wait([() => status, () => end]), end)
    })
  }

  it('gives up a replica that ends again and again, and has told why once', async () => {
    const failing = (restarts: number) => () => {
      const replica = { state: 'failing', code: 'CRASH_LOOP', reason: 'no model', restarts } as const
      return toStatusJson({ digest: DIGESTS[0] ?? assert.fail() }, replica)
    }
    told.length = 0
    await assert.rejects(wait([failing(1), failing(2), failing(3)]), { code: 'NOT_READY', message: /no model/ })
    assert.equal(told.filter(text => /\[CRASH_LOOP\]: no model/.test(text)).length, 1, told.join(''))
  })
})
