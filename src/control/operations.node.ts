import type { Clock } from '../core/clock.ts'
import { toErrorText } from '../core/errors.ts'
import { type HttpResponse, toJsonResponse, toTextResponse } from '../core/http/http.ts'
import { parsePredictionId } from '../core/uuid.ts'
import { parseRecordBatch, type RecordBatch } from '../core/wire/records.ts'
import type { Target } from '../deploy/index.ts'
import type { ImageLayout } from '../oci/index.ts'
import type { RaceSpec, Store } from '../store/index.ts'
import type { Operations } from './app.ts'
import type { Deployer } from './deployment/deployer.node.ts'
import { toCause, toHistory } from './deployment/deployment-history.ts'
import type { ReadLineage } from './deployment/lineage.node.ts'
import { toControlError } from './errors.ts'
import { EVENTS_START, toEvent, toLine } from './events.ts'
import type { Feeds } from './feeds.node.ts'
import type { HealthWatch } from './health/health-watch.node.ts'
import type { ControlMetrics } from './metrics.ts'
import { toOpenApi } from './openapi.ts'
import { PAGE_FILES, toPageResponse } from './page/index.ts'
import type { Patience } from './patience.node.ts'
import type { ProcessLogs } from './process-logs.ts'
import { chooseRace } from './race/choice.ts'
import { openOutcomes } from './race/outcomes.ts'
import type { RaceWatch } from './race/watch.node.ts'
import {
  parseChoice,
  parseCount,
  parseDeploy,
  parseJsonBody,
  parsePromote,
  parseRollback,
  parseSwitch,
} from './requests.ts'
import { toTrace } from './trace.ts'
import type { Privacy } from './truth/privacy.ts'
import { takeTruths } from './truth/take-truths.ts'

/** What the operations work on. */
export interface OperationsWorld {
  readonly store: Store
  readonly target: Target
  readonly deployer: Deployer
  readonly layout: ImageLayout
  readonly races: RaceWatch
  readonly health: Pick<HealthWatch, 'read' | 'noteRecords' | 'noteTruths'>
  readonly feeds: Pick<Feeds, 'routes' | 'events'>
  readonly logs: ProcessLogs
  readonly readLineage: ReadLineage
  /** Told of every batch: what its gateway dropped so far, and which routes it follows. */
  readonly noteGateway: (batch: Omit<RecordBatch, 'records'>) => void
  readonly patience: Patience
  readonly task: RaceSpec['task']
  readonly privacy: Privacy
  /** Share of the requests that are recorded; undefined: all. */
  readonly sample: number | undefined
  readonly metrics: ControlMetrics
  readonly clock: Clock
}

/** Version of the API, which its paths begin with; it grows when something is added. */
const API_VERSION = '1.0.0'

/** What each operation of the API does. */
export function toOperations(world: OperationsWorld): Operations {
  return { ...toOwnOperations(world), ...toCommands(world), ...toReaders(world), ...toTakers(world) }
}

type Some<operation extends keyof Operations> = Pick<Operations, operation>

function toOwnOperations({
  store,
  races,
  metrics,
}: OperationsWorld): Some<
  'page' | 'pageScript' | 'chartScript' | 'pageStyle' | 'health' | 'live' | 'ready' | 'metrics' | 'openapi'
> {
  const description = toJsonResponse(200, toOpenApi(API_VERSION))
  const alive = (): HttpResponse => toJsonResponse(200, { status: 'ok' })
  return {
    page: () => toPageResponse(PAGE_FILES.html),
    pageScript: () => toPageResponse(PAGE_FILES.script),
    chartScript: () => toPageResponse(PAGE_FILES.chart),
    pageStyle: () => toPageResponse(PAGE_FILES.style),
    health: alive,
    live: alive,
    async ready() {
      try {
        await store.readRace()
        return alive()
      } catch (error) {
        return toJsonResponse(503, { status: 'unavailable', reason: toErrorText(error) })
      }
    },
    async metrics() {
      metrics.race.show(await races.read(), races.lateness)
      return toTextResponse(200, await metrics.registry.metrics(), metrics.registry.contentType)
    },
    openapi: () => description,
  }
}

function toCommands({
  deployer,
  layout,
}: OperationsWorld): Some<'deploy' | 'putBlob' | 'promote' | 'rollback' | 'delete'> {
  return {
    async putBlob({ request }) {
      const { digest, size } = await layout.writeBlob(request.body, 'application/octet-stream')
      return toJsonResponse(200, { schema: 'regatta/blob/v1', digest, size })
    },
    async deploy({ request }) {
      return toJsonResponse(200, await deployer.deploy(parseDeploy(request.body), toCause('deploy', request)))
    },
    async promote({ request }) {
      return toJsonResponse(200, await deployer.promote(parsePromote(request.body), toCause('promote', request)))
    },
    async rollback({ request }) {
      parseRollback(request.body)
      return toJsonResponse(200, await deployer.rollback(toCause('rollback', request)))
    },
    async delete({ request }) {
      return toJsonResponse(200, await deployer.delete(toCause('delete', request)))
    },
  }
}

function toReaders(
  world: OperationsWorld,
): Some<
  | 'status'
  | 'history'
  | 'race'
  | 'races'
  | 'raceSeries'
  | 'outcomes'
  | 'prediction'
  | 'predictionRow'
  | 'routes'
  | 'events'
  | 'logs'
> {
  const { deployer, races, health, feeds, logs } = world
  return {
    status: () => toJsonResponse(200, health.read()),
    async history({ request }) {
      const limit = parseCount(request.query.get('limit'), 'limit', { max: 1000, or: 100 })
      return toJsonResponse(200, toHistory(await world.store.readDeploymentChanges(limit)))
    },
    async race({ request }) {
      return toJsonResponse(200, chooseRace(await races.read(), request.query))
    },
    async races() {
      return toJsonResponse(200, { schema: 'regatta/races/v1', races: await races.read() })
    },
    async raceSeries({ request }) {
      return toJsonResponse(200, races.toSeries(chooseRace(await races.read(), request.query).race))
    },
    async outcomes({ request, args }) {
      const lines = await openOutcomes(world.store, args['id'] ?? '', request.signal)
      return toStream('application/x-ndjson', lines)
    },
    prediction: ({ args }) => readTrace(world, args['id'] ?? ''),
    predictionRow: ({ args }) => readTrace(world, `${args['id']}/${args['row']}`),
    routes({ request }) {
      const { routes } = deployer
      if (parseSwitch(request.query.get('watch'), 'watch')) {
        const first = routes === undefined ? [] : [toLine(routes)]
        return toStream('application/x-ndjson', feeds.routes.open(first, request.signal))
      }
      if (routes !== undefined) return toJsonResponse(200, routes)
      throw toControlError('NOTHING_DEPLOYED', 'Cannot give routes: nothing was ever deployed', 'Deploy a version')
    },
    async events({ request }) {
      const shown = (await races.read()).map(race => toEvent({ kind: 'race', race }))
      const first = [EVENTS_START, toEvent({ kind: 'status', status: health.read() }), ...shown]
      return toStream('text/event-stream', feeds.events.open(first, request.signal))
    },
    logs({ request, args }) {
      const lines = parseCount(request.query.get('lines'), 'lines', { max: 999_999, or: 100 })
      const follow = parseSwitch(request.query.get('follow'), 'follow')
      return logs.read(args['process'] ?? '', { lines, follow }, request.signal)
    },
  }
}

function toTakers(world: OperationsWorld): Some<'records' | 'truth'> {
  const { store, races, health, metrics, noteGateway, patience, privacy, task } = world
  return {
    async records({ request }) {
      const { records, ...gateway } = parseRecordBatch(parseJsonBody(request.body))
      const { added, joined } = await patience.run(request.body.byteLength, () =>
        store.addPredictions(records.map(privacy.hideRecord)),
      )
      noteGateway(gateway)
      health.noteRecords(records)
      metrics.records.inc({ state: 'stored' }, added)
      metrics.records.inc({ state: 'known' }, records.length - added)
      if (added > 0) races.touch()
      if (joined > 0) health.noteTruths(records.map(({ request }) => ({ by: 'prediction', id: { request, row: 0 } })))
      return toJsonResponse(200, { schema: 'regatta/records-stored/v1', added, joined })
    },
    async truth({ request }) {
      const skip = parseChoice(request.query.get('on-error'), 'on-error', ['refuse', 'skip']) === 'skip'
      return toJsonResponse(200, await takeTruths(world, request, { task, skip }))
    },
  }
}

async function readTrace({ store, readLineage }: OperationsWorld, text: string): Promise<HttpResponse> {
  const id = parsePredictionId(text)
  const prediction = await store.readPrediction(id)
  if (prediction !== undefined) return toJsonResponse(200, await toTrace(prediction, readLineage))
  throw toControlError(
    'PREDICTION_UNKNOWN',
    `Cannot find prediction "${text}"`,
    'Records come in batches: try again in a second; the id is the x-regatta-prediction header of an answer',
  )
}

function toStream(type: string, body: AsyncIterable<Uint8Array> | undefined): HttpResponse {
  if (body === undefined)
    throw toControlError('BUSY', 'Cannot open another stream: too many are open', 'Close one, or try again later')
  return { status: 200, headers: { 'content-type': type, 'cache-control': 'no-store' }, body }
}
