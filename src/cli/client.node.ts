import type { StatePaths } from '../config/index.ts'
import type {
  DeployRequestJson,
  DeployResponseJson,
  HistoryJson,
  PromoteResponseJson,
  RaceJson,
  RaceSeriesJson,
  RacesJson,
  StatusJson,
  TraceJson,
  TruthResponseJson,
} from '../control/index.ts'
import { RegattaError, toErrorText } from '../core/errors.ts'
import { isObject } from '../core/json.ts'
import { readUpRecord } from '../core/up-record.node.ts'
import { CAUSE_HEADERS } from '../core/wire/cause.ts'
import { toActor } from './actor.node.ts'
import { readToken } from './token.node.ts'
import type { Call } from './verb.ts'
import type { Workplace } from './workplace.node.ts'

/** Control's API as the CLI uses it. Every call throws control's own error (its code, sentence and fix). */
export interface ControlClient extends AsyncDisposable {
  readonly url: string
  readonly token: string
  status(): Promise<StatusJson>
  /** The last changes of the deployment. */
  history(limit: number): Promise<HistoryJson>
  /** Calls that change the deployment take a reason, for its history. */
  deploy(request: DeployRequestJson, reason?: string): Promise<DeployResponseJson>
  promote(variant: string | undefined, reason?: string): Promise<PromoteResponseJson>
  rollback(reason?: string): Promise<PromoteResponseJson>
  deleteDeployment(reason?: string): Promise<void>
  /** The only race, or the one of a challenger; undefined before the first race. */
  race(challenger?: string): Promise<RaceJson | undefined>
  /** The races that run, or the last one where none does. */
  races(): Promise<readonly RaceJson[]>
  /** The improvement over the labels of a race, chosen as by `race`; undefined before the first race. */
  raceSeries(challenger?: string): Promise<RaceSeriesJson | undefined>
  trace(prediction: string): Promise<TraceJson>
  /** Reports truths; what is wrong is left out and named by its index. */
  truth(truths: readonly unknown[]): Promise<TruthResponseJson>
  /** The lines of a race's outcomes, as bytes. */
  outcomes(race: number): AsyncIterable<Uint8Array>
  /** The lines of a log; with `follow` it ends with the signal. */
  logs(process: string, lines: number, follow: boolean): AsyncIterable<string>
  /** Hands over a document that a deployment is about, such as the manifest of its image. */
  putBlob(content: Uint8Array): Promise<void>
  /** How this machine reaches the gateway: null where it does not listen. */
  openGateway(): Promise<AsyncDisposable & { readonly url: string | null }>
}

/** How control is reached, beside its address. */
export interface Reach {
  readonly url: string
  readonly token: string
  /** What to do where it does not answer. */
  readonly fix: string
  readonly openGateway?: (status: StatusJson) => Promise<AsyncDisposable & { readonly url: string | null }>
  readonly close?: () => Promise<void>
}

/** Connects to the control of the project's deployment. @throws NOT_RUNNING, KUBE_… */
export async function openClient(call: Call, workplace: Workplace): Promise<ControlClient> {
  if (call.target === 'local') return await openLocalClient(workplace.paths, call.signal)
  const { openClusterClient } = await import('./cluster.node.ts')
  return await openClusterClient(call, workplace)
}

/** Connects to the project's running control. @throws NOT_RUNNING */
export async function openLocalClient(paths: StatePaths, signal: AbortSignal): Promise<ControlClient> {
  const record = await readUpRecord(paths.upRecord)
  const token = await readToken(paths.token)
  if (record === undefined || token === undefined) {
    throw new RegattaError('NOT_RUNNING', 'regatta does not run in this project', {
      where: paths.root,
      fix: 'regatta up -d',
    })
  }
  const fix = 'regatta logs up, then regatta down and regatta up -d'
  return toClient({ url: record.controlUrl, token, fix }, signal)
}

/** A client of the control at an address. */
export function toClient(reach: Reach, signal: AbortSignal): ControlClient {
  const { url, token } = reach
  const call = async (method: string, path: string, body?: unknown, cause = {}): Promise<Response> => {
    const request = {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...cause,
        ...(body === undefined ? {} : { 'content-type': body instanceof Uint8Array ? BYTES : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: body instanceof Uint8Array ? body : JSON.stringify(body) }),
      signal,
    }
    const response = await fetch(`${url}${path}`, request).catch((error: unknown) => {
      if (signal.aborted) throw error
      throw new RegattaError('CONTROL_AWAY', `Cannot reach control: ${toErrorText(error)}`, {
        where: `${method} ${url}${path}`,
        fix: reach.fix,
        cause: error,
        retryable: true,
      })
    })
    if (!response.ok) throw await toError(response, `${method} ${url}${path}`)
    return response
  }
  // The answers are typed by the contract that control's own tests hold it to; both ship in one package.
  const json = async <answer>(method: string, path: string, body?: unknown, cause = {}): Promise<answer> =>
    (await (await call(method, path, body, cause)).json()) as answer
  return {
    url,
    token,
    status: () => json('GET', '/api/v1/status'),
    history: limit => json('GET', `/api/v1/history?limit=${limit}`),
    deploy: (request, reason) => json('POST', '/api/v1/deploy', request, toCause(reason)),
    promote: (variant, reason) =>
      json('POST', '/api/v1/promote', variant === undefined ? {} : { variant }, toCause(reason)),
    rollback: reason => json('POST', '/api/v1/rollback', {}, toCause(reason)),
    deleteDeployment: async reason => void (await call('DELETE', '/api/v1/deployment', undefined, toCause(reason))),
    races: async () => (await json<RacesJson>('GET', '/api/v1/races')).races,
    race: challenger => json<RaceJson>('GET', `/api/v1/race${toQuery(challenger)}`).catch(toNone),
    raceSeries: challenger => json<RaceSeriesJson>('GET', `/api/v1/race/series${toQuery(challenger)}`).catch(toNone),
    trace: prediction => json('GET', `/api/v1/predictions/${prediction}`),
    truth: truths => json('POST', '/truth?on-error=skip', truths),
    async *outcomes(race) {
      const { body } = await call('GET', `/api/v1/races/${race}/outcomes`)
      try {
        yield* body ?? []
      } catch (cause) {
        if (signal.aborted) throw cause
        throw new RegattaError('CONTROL_AWAY', `Cannot read to the end: ${toErrorText(cause)}`, {
          where: `GET ${url}/api/v1/races/${race}/outcomes`,
          fix: 'Try again',
          cause,
          retryable: true,
        })
      }
    },
    async *logs(process, lines, follow) {
      const path = `/api/v1/logs/${encodeURIComponent(process)}?lines=${lines}${follow ? '&follow=1' : ''}`
      const decoder = new TextDecoder()
      const { body } = await call('GET', path)
      let rest = ''
      for await (const chunk of body ?? []) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
        rest = lines.pop() ?? ''
        yield* lines
      }
      if (rest !== '') yield rest
    },
    putBlob: async content => void (await call('POST', '/api/v1/blobs', content)),
    async openGateway() {
      const status = await json<StatusJson>('GET', '/api/v1/status')
      const direct = { url: status.gateway.url, [Symbol.asyncDispose]: async () => {} }
      return (await reach.openGateway?.(status)) ?? direct
    },
    [Symbol.asyncDispose]: async () => await reach.close?.(),
  }
}

/** Headers that say who asks, and why. */
function toCause(reason = ''): Readonly<Record<string, string>> {
  return { [CAUSE_HEADERS.by]: encodeURIComponent(toActor()), [CAUSE_HEADERS.reason]: encodeURIComponent(reason) }
}

/** Before the first race there is none. */
function toNone(error: unknown): undefined {
  if (error instanceof RegattaError && error.code === 'RACE_NONE') return undefined
  throw error
}

/** Too many requests, and what stands before control or in it being away for now. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504])
const BYTES = 'application/octet-stream'

function toQuery(challenger: string | undefined): string {
  return challenger === undefined ? '' : `?challenger=${encodeURIComponent(challenger)}`
}

async function toError(response: Response, where: string): Promise<RegattaError> {
  const text = (await response.text()).slice(0, 64 * 1024)
  const body: unknown = await Promise.resolve(text)
    .then(JSON.parse)
    .catch(() => undefined)
  const detail = isObject(body) && isObject(body['error']) ? body['error'] : {}
  const { code, message, fix } = detail
  return new RegattaError(
    typeof code === 'string' ? code : `HTTP_${response.status}`,
    typeof message === 'string' ? message : `Control answered ${response.status}: ${text}`,
    {
      ...(typeof code === 'string' ? {} : { where }),
      ...(typeof fix === 'string' ? { fix } : {}),
      retryable: RETRYABLE.has(response.status),
    },
  )
}
