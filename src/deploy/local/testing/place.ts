import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseVariantName } from '../../../core/brands.ts'
import { openLayout } from '../../../oci/index.ts'
import { type DeploymentPlan, openLocalTarget, type Target, type TargetState, type Timings } from '../../index.ts'
import type { LocalEvent } from '../events.ts'
import type { LocalTargetOptions } from '../options.node.ts'
import { putImage, toModelFile } from './image.ts'

/** Timings under which a test sees everything happen within a second or two. */
export const QUICK: Partial<Timings> = {
  probeEveryMs: 50,
  startProbeEveryMs: 20,
  probeTimeoutMs: 250,
  missesToKill: 4,
  startTimeoutMs: 10_000,
  drainMs: 2_000,
  preStopMs: 20,
  quickRestartMs: 20,
  minRestartMs: 100,
  maxRestartMs: 400,
  logCheckMs: 20,
  followMs: 10,
}

/** A folder under the system's temporary one, with an image layout; removed on disposal. */
export async function openPlace() {
  const root = await mkdtemp(join(tmpdir(), 'regatta-local-'))
  const layout = await openLayout(join(root, 'oci'))
  const digests = {
    a: await putImage(layout, [toModelFile(1, 'model of a')]),
    b: await putImage(layout, [toModelFile(2, 'model of b')]),
  }
  const events: LocalEvent[] = []
  const folder = join(root, 'local')
  return {
    root,
    folder,
    layout,
    digests,
    events,
    /** Opens the target with the test program, by its behaviours, as server and gateway. */
    async open(change: { server?: string; gateway?: string } & Partial<LocalTargetOptions> = {}): Promise<Target> {
      const { server = 'well', gateway: gatewayBehaviour = 'well', ...more } = change
      const program = join(import.meta.dirname, 'program.ts')
      return await openLocalTarget({
        folder,
        layout,
        deployment: 'forecast',
        commands: {
          server: [process.execPath, program, server],
          gateway: [process.execPath, program, gatewayBehaviour],
        },
        gateway: { host: '127.0.0.1', httpPort: 0, controlUrl: 'http://127.0.0.1:1', token: 'secret-token' },
        clock: Date.now,
        environment: { PATH: process.env['PATH'], DATABASE_PASSWORD: 'secret-password' },
        timings: QUICK,
        onEvent: event => events.push(event),
        ...more,
      })
    },
    async [Symbol.asyncDispose]() {
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** A plan of variants given as name → [id, version, digest, replicas]. */
export function toPlan(
  variants: readonly (readonly [name: string, id: number, version: number, digest: string, replicas: number])[],
): DeploymentPlan {
  return {
    deployment: 'forecast',
    variants: variants.map(([name, id, version, digest, replicas]) => {
      return {
        name: parseVariantName(name),
        id,
        version,
        digest: digest as DeploymentPlan['variants'][0]['digest'],
        replicas,
      }
    }),
  }
}

/** Resolves with the first state that holds; rejects with the last one after ten seconds. */
export async function until(target: Target, holds: (state: TargetState) => boolean): Promise<TargetState> {
  if (holds(target.state())) return target.state()
  const { promise, resolve, reject } = Promise.withResolvers<TargetState>()
  const end = target.observe(state => {
    if (holds(state)) resolve(state)
  })
  const late = setTimeout(() => reject(new Error(`Not reached: ${JSON.stringify(target.state(), null, 1)}`)), 10_000)
  try {
    return await promise
  } finally {
    clearTimeout(late)
    end()
  }
}

/** Whether exactly these replicas are all ready, and the gateway, too. */
export function isReady(...names: readonly string[]): (state: TargetState) => boolean {
  return state =>
    state.gateway.health.state === 'ready' &&
    state.replicas.every(replica => replica.health.state === 'ready') &&
    state.replicas
      .map(replica => replica.name)
      .sort()
      .join() === names.join()
}

/** The pids of all processes of a state. */
export function listPids(state: TargetState): readonly number[] {
  return [state.gateway, ...state.replicas].flatMap(({ pid }) => pid ?? [])
}
