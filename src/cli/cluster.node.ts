import { RegattaError } from '../core/errors.ts'
import {
  type Kube,
  listReadyPods,
  openForward,
  openKube,
  readAdminToken,
  toNames,
  untilControl,
} from '../deploy/index.ts'
import { type ControlClient, toClient } from './client.node.ts'
import { toLiveLine } from './progress.ts'
import type { Call } from './verb.ts'
import type { Workplace } from './workplace.node.ts'

const CONTROL_PORT = 8400
const GATEWAY_PORT = 8501

/** Connects to the cluster and namespace that the project names. @throws KUBE_… */
export async function openCluster({ project }: Workplace): Promise<Kube> {
  const { context, namespace } = project.targets.kubernetes
  return await openKube({ context, namespace })
}

/** Connects to control in the cluster, through the cluster's API. @throws KUBE_NOT_DEPLOYED, KUBE_NOT_READY, … */
export async function openClusterClient(call: Call, workplace: Workplace): Promise<ControlClient> {
  const kube = await openCluster(workplace)
  return await openClientAt(call, workplace, kube, 15_000)
}

/** Connects to control in a cluster that is known, and tells what is in the way while it is not ready. @throws KUBE_… */
export async function openClientAt(
  call: Call,
  { project }: Workplace,
  kube: Kube,
  waitMs?: number,
): Promise<ControlClient> {
  const live = toLiveLine(call)
  const told = new Set<string>()
  const pod = await untilControl(kube, project.name, {
    signal: call.signal,
    ...(waitMs !== undefined && { waitMs }),
    onFinding({ code, evidence }) {
      if (!told.has(code)) live.milestone(`control is failing [${code}]: ${evidence}`)
      told.add(code)
    },
  })
  const token = await readAdminToken(kube, project.name)
  if (token === undefined) {
    throw new RegattaError('TOKEN_NONE', `Secret ${toNames(project.name).token} has no token`, {
      fix: 'regatta deploy --target kubernetes makes one',
    })
  }
  const forward = await openForward(kube, pod, CONTROL_PORT)
  return toClient(
    {
      url: `http://127.0.0.1:${forward.port}`,
      token,
      fix: 'regatta status --target kubernetes tells why control does not answer',
      close: async () => await forward[Symbol.asyncDispose](),
      openGateway: async ({ gateway }) => {
        if (project.targets.kubernetes.expose === 'LoadBalancer')
          return { url: gateway.url, [Symbol.asyncDispose]: async () => {} }
        const own = await openForward(kube, await findGatewayPod(kube, project.name), GATEWAY_PORT)
        return { url: `http://127.0.0.1:${own.port}`, [Symbol.asyncDispose]: () => own[Symbol.asyncDispose]() }
      },
    },
    call.signal,
  )
}

async function findGatewayPod(kube: Kube, deployment: string): Promise<string> {
  const [pod] = await listReadyPods(kube, deployment, 'gateway')
  if (pod !== undefined) return pod
  throw new RegattaError('GATEWAY_AWAY', 'No gateway is ready', { fix: 'regatta status --target kubernetes tells why' })
}
