import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusJson } from '../../src/control/index.ts'
import { findRestartProblem, restartApiServer } from './api-server.ts'
import { startLoad } from './load.ts'
import { type Harbour, openHarbour } from './namespace.ts'

interface Deployed {
  readonly ready: boolean
  readonly gateway: string
}

describe('a deployment that is interrupted', () => {
  let harbour: Harbour
  before(async () => {
    harbour = await openHarbour()
    await harbour.pack(3)
    await harbour.pack(4)
  })
  after(async () => await harbour?.[Symbol.asyncDispose]())

  /** Deploys version 2 as soon as the API server lets it: one that has just started knows of no roles yet. */
  async function deployOnceThere(): Promise<string> {
    for (let tries = 1; ; tries += 1) {
      const { code, out } = await harbour.run(['deploy', '2', '--json'])
      if (code === 0) return out
      assert.match(out, /KUBE_(UNREACHABLE|FORBIDDEN)/)
      assert.ok(tries < 30, out)
      await sleep(1000)
    }
  }

  it('is finished by the next one when the command was killed', async () => {
    const { code, err } = await harbour.place.run(['deploy', '1'], { killAt: /created / })
    assert.equal(code, null, err)
    const { ready } = await harbour.regatta<Deployed>(['deploy', '1'])
    assert.equal(ready, true)
  })

  it('wins against another at the same time, or says that it has not', async () => {
    const ends = await Promise.all(['1', '2'].map(version => harbour.run(['deploy', version, '--json'])))
    const { variants } = await harbour.regatta<StatusJson>(['status'])
    const winner = variants[0]?.version
    const [won, lost] = winner === 1 ? ends : ends.toReversed()
    assert.equal(won?.code, 0, won?.out)
    // It may have been ready before the other one came.
    assert.ok(lost?.code === 0 || /DEPLOY_REPLACED/.test(lost?.out ?? ''), lost?.out)
  })

  it('goes on where the API server was away', { skip: findRestartProblem() ?? false }, async () => {
    const { gateway } = await harbour.regatta<Deployed>(['deploy', '1'])
    const answers = [{ predictions: [[6]] }, { predictions: [[8]] }]
    await using load = startLoad(`${gateway}/v1/models/linear:predict`, { instances: [[2]] }, answers)
    harbour.configure({ replicas: 2 })
    const deploying = harbour.run(['deploy', '2', '--json'])
    await sleep(4000)
    await restartApiServer(3000)
    const { code, out } = await deploying
    // It may have been asked for just when the server went.
    const end = code === 0 ? out : await deployOnceThere()
    assert.equal((JSON.parse(end) as Deployed).ready, true, `${out} ${end}`)
    const { variants } = await harbour.regatta<StatusJson>(['status'])
    assert.deepEqual(
      variants.map(({ version, replicas }) => [version, replicas.length]),
      [[2, 2]],
    )
    assert.deepEqual((await load.stop(100)).failures, [])
  })
})
