import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Digest, parseVariantName } from '../../../core/brands.ts'
import { isRunning, type ProcessId, readProcessId } from '../../../core/process.node.ts'
import { openLayout } from '../../../oci/index.ts'
import {
  type DeploymentPlan,
  openLocalTarget,
  type ProcessState,
  type Target,
  type TargetState,
  type Timings,
} from '../../index.ts'
import type { LocalEvent } from '../events.ts'
import type { LocalTargetOptions } from '../options.node.ts'
import { putImage, toModelFile } from './image.ts'

/** Timings under which a test sees everything happen within a second or two. */
export const QUICK: Partial<Timings> = {
  probeEveryMs: 50,
  startProbeEveryMs: 20,
  probeTimeoutMs: 250,
  missesToKill: 4,
  startTimeoutMs: 30_000,
  drainMs: 2_000,
  preStopMs: 20,
  quickRestartMs: 20,
  minRestartMs: 50,
  maxRestartMs: 150,
  logCheckMs: 20,
  followMs: 10,
}

/** How a target differs from a well-behaved one. */
export interface Change extends Partial<Omit<LocalTargetOptions, 'gateway'>> {
  /** Behaviours of the test program. */
  readonly server?: string
  readonly gateway?: string
  readonly httpPort?: number
  /** Who may ask the gateway, and how. */
  readonly access?: Partial<LocalTargetOptions['gateway']>
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
    async open(change: Change = {}): Promise<Target> {
      const { server = 'well', gateway = 'well', httpPort = 0, timings, access, ...more } = change
      const own = { host: '127.0.0.1', httpPort, grpcPort: 0, controlUrl: 'http://127.0.0.1:1', token: 'secret-token' }
      const program = join(import.meta.dirname, 'program.ts')
      const { NODE_COMPILE_CACHE, PATH } = process.env
      return await openLocalTarget({
        folder,
        layout,
        deployment: 'forecast',
        commands: {
          server: [process.execPath, program, server],
          gateway: [process.execPath, program, gateway],
        },
        gateway: { ...own, ...access },
        clock: Date.now,
        environment: { PATH, NODE_COMPILE_CACHE, DATABASE_PASSWORD: 'secret-password' },
        timings: { ...QUICK, ...timings },
        onEvent: event => events.push(event),
        ...more,
      })
    },
    async [Symbol.asyncDispose]() {
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** A plan of variants given as rows. */
export function toPlan(
  variants: readonly (readonly [name: string, id: number, version: number, digest: Digest, replicas: number])[],
): DeploymentPlan {
  return {
    deployment: 'forecast',
    variants: variants.map(([name, id, version, digest, replicas]) => {
      return { name: parseVariantName(name), id, version, digest, replicas }
    }),
  }
}

/** Carries out a plan and waits until exactly its replicas, and the gateway, are ready. */
export async function deploy(target: Target, plan: DeploymentPlan): Promise<TargetState> {
  await target.apply(plan, AbortSignal.timeout(60_000))
  const names = plan.variants.flatMap(({ name, replicas }) =>
    Array.from({ length: replicas }, (_, index) => `${name}-${index + 1}`),
  )
  return await until(target, isReady(...names))
}

/** Resolves with the first state that holds; rejects with the last one after a minute. */
export async function until(target: Target, holds: (state: TargetState) => boolean): Promise<TargetState> {
  if (holds(target.state())) return target.state()
  const { promise, resolve, reject } = Promise.withResolvers<TargetState>()
  const end = target.observe(state => {
    if (holds(state)) resolve(state)
  })
  const late = setTimeout(() => reject(new Error(`Not reached: ${JSON.stringify(target.state(), null, 1)}`)), 60_000)
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

/** The state of one process. */
export function pick(state: TargetState, name: string): ProcessState & { readonly url?: string | undefined } {
  const found = [{ ...state.gateway, url: state.gatewayUrl }, ...state.replicas].find(process => process.name === name)
  if (found === undefined) throw new Error(`No process ${name} in ${JSON.stringify(state)}`)
  return found
}

/** Asks a process of the test program for something and returns the answer's text. */
export async function ask(state: TargetState, name: string, path: string): Promise<string> {
  return await (await fetch(`${pick(state, name).url}${path}`)).text()
}

/** The processes of a state, to be told from later ones with their numbers. */
export function listProcesses(state: TargetState): readonly ProcessId[] {
  return [state.gateway, ...state.replicas].flatMap(({ pid }) => readProcessId(pid ?? 0) ?? [])
}

/** The numbers of those that still run. */
export function listAlive(processes: readonly ProcessId[]): readonly number[] {
  return processes.filter(isRunning).map(({ pid }) => pid)
}
