import { setTimeout as sleep } from 'node:timers/promises'
import type { DeployRequestJson, DeployResponseJson, StatusJson } from '../control/index.ts'
import { RegattaError } from '../core/errors.ts'
import { type ControlClient, openClient } from './client.node.ts'
import { toLiveLine } from './progress.ts'
import { ensureUp } from './up.node.ts'
import type { Call } from './verb.ts'
import type { Workplace } from './workplace.node.ts'

/** Long enough for a large model on a busy machine; each failing replica is told as it happens. */
const READY_TIMEOUT_MS = 120_000
/** A process that never was ready and has ended as often as this will not become ready by waiting. */
const HOPELESS_RESTARTS = 3

/** What to deploy, whether to wait for it, and why. */
export interface LocalWish {
  readonly request: DeployRequestJson
  readonly wait: boolean
  readonly reason?: string | undefined
}

/** What became of a deployment. */
export interface Deployed {
  readonly response: DeployResponseJson
  readonly status: StatusJson
  readonly client: ControlClient
}

/**
 * Sends a deployment to control, starting it where it does not run, and waits until all replicas are ready.
 * @throws NOT_READY with each replica's reason when that takes too long or cannot succeed, PORT_IN_USE of the gateway
 */
export async function deployVersion(
  call: Call,
  workplace: Workplace,
  { request, wait, reason }: LocalWish,
): Promise<Deployed> {
  const { started } = await ensureUp(call, workplace)
  if (started) call.err('started regatta in the background\n')
  const client = await openClient(call, workplace)
  const response = await client.deploy(request, reason)
  if (!response.changed) call.err('exactly this was deployed already\n')
  return { response, client, status: wait ? await untilReady(call, client, response) : await client.status() }
}

/** What waiting needs of a call. */
type Waiter = Pick<Call, 'clock' | 'err' | 'signal' | 'terminal'>

/** How long `untilReady` waits, ms. */
export interface Waiting {
  /** @default two minutes */
  readonly timeoutMs?: number
  /** For a control that does not answer: what leads to it may come back. @default 0 */
  readonly awayMs?: number
}

/**
 * Waits until the variant is in the routes with every wanted replica ready.
 * @throws NOT_READY, PORT_IN_USE, DEPLOY_REPLACED where somebody else has deployed another version meanwhile
 */
export async function untilReady(
  call: Waiter,
  client: Pick<ControlClient, 'status'>,
  response: Pick<DeployResponseJson, 'variant' | 'version' | 'digest'>,
  { timeoutMs = READY_TIMEOUT_MS, awayMs = 0 }: Waiting = {},
): Promise<StatusJson> {
  const { variant } = response
  const live = toLiveLine(call)
  const deadline = call.clock() + timeoutMs
  const told = new Set<string>()
  for (;;) {
    const status = await readStatus(call, client, awayMs)
    const same = status.variants.filter(({ name }) => name === variant)
    const ours = same.find(({ digest }) => digest === response.digest)
    if (ours === undefined && same.length > 0) throw toReplaced(response, same)
    const ready = ours?.replicas.filter(({ state }) => state === 'ready').length ?? 0
    const wanted = ours?.wantedReplicas ?? 0
    for (const { code, name, reason, state } of [...(ours?.replicas ?? []), status.gateway.process]) {
      if (state !== 'failing' || told.has(`${name} ${reason}`)) continue
      told.add(`${name} ${reason}`)
      live.milestone(`${name} is failing [${code}]: ${reason}`)
    }
    if (ours !== undefined && ready >= wanted && status.gateway.process.state === 'ready' && status.ready) {
      live.milestone(`${variant}: version ${ours.version}, ${ready} of ${wanted} replicas ready`)
      return status
    }
    const { code, reason, state } = status.gateway.process
    if (state === 'failing' && code === 'PORT_IN_USE') {
      throw new RegattaError(code, reason ?? 'The gateway cannot listen on its port', {
        fix: 'Stop the program that uses it, or set targets.local.httpPort, then regatta down and deploy again',
      })
    }
    const isHopeless = ours?.replicas.some(
      replica => replica.state === 'failing' && replica.restarts >= HOPELESS_RESTARTS,
    )
    if (isHopeless || call.clock() > deadline) throw toNotReady(status, variant, ready, wanted)
    live.show(`${variant}: ${ready} of ${wanted} replicas ready`)
    await sleep(100, undefined, { signal: call.signal })
  }
}

async function readStatus(call: Waiter, client: Pick<ControlClient, 'status'>, awayMs: number): Promise<StatusJson> {
  for (const since = call.clock(); ; ) {
    try {
      return await client.status()
    } catch (error) {
      const isAway = error instanceof RegattaError && error.retryable
      if (!isAway || call.clock() - since >= awayMs) throw error
    }
    await sleep(500, undefined, { signal: call.signal })
  }
}

function toReplaced(
  { variant, version }: Pick<DeployResponseJson, 'variant' | 'version'>,
  now: readonly { readonly version: number }[],
): RegattaError {
  const others = now.map(other => `version ${other.version}`).join(' and ')
  return new RegattaError(
    'DEPLOY_REPLACED',
    `Version ${version} of "${variant}" was replaced meanwhile: by ${others}`,
    {
      fix: 'Somebody else deployed at the same time; regatta status tells what runs, regatta deploy VERSION changes it',
    },
  )
}

function toNotReady(status: StatusJson, variant: string, ready: number, wanted: number): RegattaError {
  const processes = [status.gateway.process, ...status.variants.flatMap(({ replicas }) => replicas)]
  const reasons = processes
    .filter(({ state }) => state !== 'ready')
    .map(({ name, reason, state }) => `${name} is ${state}${reason === null ? '' : `: ${reason}`}`)
  return new RegattaError(
    'NOT_READY',
    `${ready} of ${wanted} replicas of "${variant}" are ready; ${reasons.join('; ')}`,
    {
      fix: 'regatta status tells how it goes on; regatta logs REPLICA shows its log',
    },
  )
}
