import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { isObject } from '../../src/core/json.ts'
import { post } from '../../tools/kubernetes/load.ts'
import { type Deployed, WEIGHT } from './rollout.ts'

/** What the pods of a part use. */
export interface Usage {
  readonly pods: number
  /** Of all of them. */
  readonly cpuCores: number
  readonly memoryMiB: number
}

/** Usage by part, idle and under load. */
export interface Footprint {
  readonly idle: Readonly<Record<Part, Usage>>
  readonly loaded: Readonly<Record<Part, Usage>>
  /** Requests per second that were answered. */
  readonly rate: number
}

const PARTS = ['gateway', 'control'] as const
type Part = (typeof PARTS)[number]

const RATE = 500
/** Between two looks of the metrics server lie up to 15 s, and a look tells of the time since the one before. */
const SETTLE_MS = 40_000
const TICK_MS = 4
const CONNECTIONS = 32

/** Asks the metrics API, which needs a metrics server in the cluster. */
export async function measureFootprint({ harbour, gateway }: Deployed): Promise<Footprint | undefined> {
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${harbour.namespace}/pods`
  await sleep(SETTLE_MS)
  const idle = toUsage(await harbour.admin.ask('GET', path))
  if (idle === undefined) return undefined
  const loading = ask(gateway, SETTLE_MS + 5000)
  await sleep(SETTLE_MS)
  const loaded = toUsage(await harbour.admin.ask('GET', path))
  const answered = await loading
  return loaded && { idle, loaded, rate: (answered / (SETTLE_MS + 5000)) * 1000 }
}

/**
 * Sends requests at a steady rate right to the Service, over connections that stay; how many were answered right. They are
 * made for little: the machine that asks is the one that answers.
 */
async function ask(gateway: string, durationMs: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const payload = JSON.stringify({ instances: [[1]] })
  const wanted = JSON.stringify({ predictions: [[WEIGHT]] })
  let [answered, sent, waiting] = [0, 0, 0]
  const send = async (): Promise<void> => {
    const answer = await post(agent, `${gateway}/v1/models/linear:predict`, payload).catch(String)
    waiting -= 1
    if (answer === wanted) answered += 1
  }
  const startedAt = performance.now()
  for (let elapsed = 0; elapsed < durationMs; elapsed = performance.now() - startedAt) {
    for (; sent < (elapsed / 1000) * RATE; sent += 1) {
      // Nobody makes up for what found no connection: the rate tells.
      if (waiting >= CONNECTIONS) continue
      waiting += 1
      void send()
    }
    await sleep(TICK_MS)
  }
  agent.destroy()
  return answered
}

function toUsage(list: unknown): Readonly<Record<Part, Usage>> | undefined {
  const items: readonly unknown[] = isObject(list) && Array.isArray(list['items']) ? list['items'] : []
  const of = (part: Part): Usage => {
    const texts = items.map(item => JSON.stringify(item)).filter(text => text.includes(`"name":"linear-${part}-`))
    const sum = (key: 'cpu' | 'memory'): number =>
      texts.reduce((total, text) => total + parseAmount(new RegExp(`"${key}":"([^"]+)"`).exec(text)?.[1] ?? '0'), 0)
    return { pods: texts.length, cpuCores: sum('cpu'), memoryMiB: sum('memory') / 2 ** 20 }
  }
  const usage = { gateway: of('gateway'), control: of('control') }
  return PARTS.every(part => usage[part].pods > 0) ? usage : undefined
}

const SUFFIXES: Readonly<Record<string, number>> = { n: 1e-9, u: 1e-6, m: 1e-3, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 }

function parseAmount(text: string): number {
  const [, number = '0', suffix = ''] = /^(\d+)(\D*)$/.exec(text) ?? []
  return Number(number) * (SUFFIXES[suffix] ?? 1)
}
