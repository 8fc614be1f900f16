import { openForward, readAdminToken, untilControl } from '../../src/deploy/index.ts'
import type { Harbour } from '../../tools/kubernetes/namespace.ts'
import { untilAnswered } from './asking.ts'
import type { Deployed } from './rollout.ts'

/** Times until the new champion answers, ms. */
export interface Switches {
  /** From the request to control. */
  readonly promoteMs: readonly number[]
  readonly rollbackMs: readonly number[]
  /** From the start of the command. */
  readonly promoteCommandMs: readonly number[]
  readonly rollbackCommandMs: readonly number[]
}

/** Promotes a shadow and rolls back, by turns by the API and by the command. */
export async function measureSwitches({ harbour, gateway }: Deployed, rounds: number): Promise<Switches> {
  const { version } = await harbour.pack(4)
  await harbour.regatta(['deploy', String(version), '--challenger', 'b', '--shadow'])
  await using control = await openControl(harbour)
  const found = { promoteMs: [], rollbackMs: [], promoteCommandMs: [], rollbackCommandMs: [] } as {
    [key in keyof Switches]: number[]
  }
  const time = async (weight: number, change: () => Promise<unknown>): Promise<number> => {
    const startedAt = performance.now()
    await Promise.all([change(), untilAnswered(gateway, weight)])
    return performance.now() - startedAt
  }
  for (let round = 0; round < rounds; round += 1) {
    found.promoteMs.push(await time(4, () => control.post('promote', { variant: 'b' })))
    found.rollbackMs.push(await time(3, () => control.post('rollback', {})))
    found.promoteCommandMs.push(await time(4, () => harbour.regatta(['promote', 'b'])))
    found.rollbackCommandMs.push(await time(3, () => harbour.regatta(['rollback'])))
  }
  return found
}

interface OpenControl extends AsyncDisposable {
  post(command: string, body: object): Promise<void>
}

async function openControl({ admin }: Harbour): Promise<OpenControl> {
  const signal = AbortSignal.timeout(60_000)
  const pod = await untilControl(admin, 'linear', { signal, onFinding: () => {} })
  const forward = await openForward(admin, pod, 8400)
  const token = await readAdminToken(admin, 'linear')
  return {
    async post(command, body) {
      const response = await fetch(`http://127.0.0.1:${forward.port}/api/v1/${command}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      if (!response.ok) throw new Error(`${command}: ${response.status} ${await response.text()}`)
    },
    [Symbol.asyncDispose]: () => forward[Symbol.asyncDispose](),
  }
}
