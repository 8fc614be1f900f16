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

  function wait(looks: readonly (() => StatusJson)[], awayMs = 0): Promise<StatusJson> {
    const left = [...looks]
    const status = async (): Promise<StatusJson> => (left.shift() ?? assert.fail('nobody should look again'))()
    const call = { signal, clock: Date.now, err: () => {}, terminal: undefined }
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
})
