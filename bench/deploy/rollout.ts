import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { isObject } from '../../src/core/json.ts'
import { type Harbour, openHarbour } from '../../tools/kubernetes/namespace.ts'
import { untilAnswered } from './asking.ts'

const REPLICAS = 3
/** Of the model that is deployed first: its answer to 1. */
export const WEIGHT = 3

/** Times from the command to the first right answer, ms, a pair for each round. */
export interface Rollouts {
  readonly deployMs: readonly number[]
  readonly kubectlMs: readonly number[]
}

/** A deployment that is up. */
export interface Deployed extends AsyncDisposable {
  readonly harbour: Harbour
  readonly gateway: string
}

/** Deploys by turns, each time into a new namespace; a round before the first brings the images to the node. */
export async function measureRollouts(rounds: number): Promise<Rollouts> {
  const deployMs: number[] = []
  const kubectlMs: number[] = []
  for (let round = 0; round <= rounds; round += 1) {
    const pair = [await inNamespace(deployByRegatta), await inNamespace(deployByKubectl)] as const
    console.error(`round ${round}: regatta ${Math.round(pair[0])} ms, kubectl ${Math.round(pair[1])} ms`)
    if (round === 0) continue
    deployMs.push(pair[0])
    kubectlMs.push(pair[1])
  }
  return { deployMs, kubectlMs }
}

/** A deployment of three replicas that answers. */
export async function openDeployed(): Promise<Deployed> {
  const harbour = await openHarbour({ replicas: REPLICAS })
  try {
    await harbour.pack(WEIGHT)
    const { gateway } = await harbour.regatta<{ readonly gateway: string }>(['deploy'])
    return { harbour, gateway, [Symbol.asyncDispose]: () => harbour[Symbol.asyncDispose]() }
  } catch (error) {
    await harbour[Symbol.asyncDispose]()
    throw error
  }
}

async function inNamespace(deploy: (harbour: Harbour) => Promise<number>): Promise<number> {
  const harbour = await openHarbour({ replicas: REPLICAS })
  try {
    await harbour.pack(WEIGHT)
    return await deploy(harbour)
  } finally {
    await harbour[Symbol.asyncDispose]()
    await untilGone(harbour)
  }
}

/** What still ends would take the next one's time. */
async function untilGone({ admin, namespace }: Harbour): Promise<void> {
  for (let waited = 0; waited < 240; waited += 1) {
    const list = await admin.ask('GET', `/api/v1/namespaces?fieldSelector=metadata.name%3D${namespace}`)
    if (isObject(list) && Array.isArray(list['items']) && list['items'].length === 0) return
    await sleep(500)
  }
  throw new Error(`Namespace ${namespace} does not go`)
}

async function deployByRegatta(harbour: Harbour): Promise<number> {
  const startedAt = performance.now()
  const { gateway } = await harbour.regatta<{ readonly gateway: string }>(['deploy'])
  await untilAnswered(gateway, WEIGHT)
  return performance.now() - startedAt
}

/** The objects that `regatta render` prints, and the Secret that they want, by the tool that people have. */
async function deployByKubectl(harbour: Harbour): Promise<number> {
  const file = join(harbour.place.folder, 'objects.yaml')
  const { out } = await harbour.run(['render'])
  writeFileSync(file, `${toSecret(harbour.namespace)}${out}`)
  const startedAt = performance.now()
  kubectl(harbour, ['apply', '-f', file])
  for (const name of ['linear-control', 'linear-gateway', 'linear-a-1'])
    kubectl(harbour, ['rollout', 'status', `deployment/${name}`, '--timeout=120s'])
  await untilAnswered(await readAddress(harbour), WEIGHT)
  return performance.now() - startedAt
}

function toSecret(namespace: string): string {
  const stringData = { admin: 'admin-token', gateway: 'gateway-token', predict: 'predict-token' }
  const metadata = { name: 'linear-token', namespace }
  return `---\n${stringify({ apiVersion: 'v1', kind: 'Secret', metadata, stringData })}`
}

function kubectl({ namespace }: Harbour, args: readonly string[]): void {
  const { status, stderr } = spawnSync('kubectl', ['--namespace', namespace, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${status}: ${stderr}`)
}

async function readAddress({ admin, namespace }: Harbour): Promise<string> {
  const service = await admin.ask('GET', `/api/v1/namespaces/${namespace}/services/linear-gateway`)
  const status = isObject(service) ? JSON.stringify(service['status']) : ''
  const ip = /"ip":"([^"]+)"/.exec(status)?.[1]
  if (ip === undefined) throw new Error('The gateway has no address')
  return `http://${ip}:8501`
}
