import type { SchemaName } from './api/schemas.ts'
import type { Scope } from './tokens.ts'

/**
 * Who may call: `open` everybody, `board` everybody on a loopback address and elsewhere a bearer of `read`, a scope
 * its bearer. The admin token may do all.
 */
export type Access = 'open' | 'board' | Scope

/** One operation of the API, as data: the router, the guard and the description are made from it. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Segments in braces are arguments. */
  readonly path: string
  readonly access: Access
  readonly summary: string
  /** Query parameters and what they mean. */
  readonly query?: Readonly<Record<string, string>>
  readonly request?: { readonly schema: SchemaName; readonly types: readonly string[] }
  readonly answer: { readonly type: string; readonly schema?: SchemaName }
  /** The answer ends only with the caller or with control. */
  readonly streams?: true
}

const JSON_TYPE = 'application/json'
const json = (schema: SchemaName) => ({ type: JSON_TYPE, schema })
const body = (schema: SchemaName) => ({ types: [JSON_TYPE], schema })

const RACE_QUERY = { challenger: 'The race of this challenger', race: 'The race of this number' }

/** Every operation of control. */
export const ENDPOINTS = {
  page: {
    method: 'GET',
    path: '/',
    access: 'open',
    summary: 'The race as a page',
    answer: { type: 'text/html' },
  },
  pageScript: {
    method: 'GET',
    path: '/page.js',
    access: 'open',
    summary: "The page's script",
    answer: { type: 'text/javascript' },
  },
  chartScript: {
    method: 'GET',
    path: '/chart.js',
    access: 'open',
    summary: "The page's chart",
    answer: { type: 'text/javascript' },
  },
  pageStyle: {
    method: 'GET',
    path: '/page.css',
    access: 'open',
    summary: "The page's style",
    answer: { type: 'text/css' },
  },
  health: {
    method: 'GET',
    path: '/healthz',
    access: 'open',
    summary: 'Whether control runs',
    answer: json('Health'),
  },
  live: { method: 'GET', path: '/livez', access: 'open', summary: 'Whether control runs', answer: json('Health') },
  ready: {
    method: 'GET',
    path: '/readyz',
    access: 'open',
    summary: 'Whether control can do its work: its database answers',
    answer: json('Health'),
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    access: 'board',
    summary: 'Metrics in the text format of Prometheus',
    answer: { type: 'text/plain' },
  },
  openapi: {
    method: 'GET',
    path: '/api/v1/openapi.json',
    access: 'open',
    summary: 'This description',
    answer: { type: JSON_TYPE },
  },
  status: {
    method: 'GET',
    path: '/api/v1/status',
    access: 'board',
    summary: 'What is deployed and how it is',
    answer: json('Status'),
  },
  history: {
    method: 'GET',
    path: '/api/v1/history',
    access: 'board',
    summary: 'Who changed the deployment when and why, and what was in the routes from then on; the newest first',
    query: { limit: 'How many, 0–1000 (100)' },
    answer: json('History'),
  },
  deploy: {
    method: 'POST',
    path: '/api/v1/deploy',
    access: 'admin',
    summary: 'Deploys a version as champion or challenger; answers when the plan is accepted',
    request: body('DeployRequest'),
    answer: json('Deployed'),
  },
  putBlob: {
    method: 'POST',
    path: '/api/v1/blobs',
    access: 'admin',
    summary: 'Takes in a document that a deployment is about: the manifest of an image, the record of a run',
    answer: json('Blob'),
  },
  promote: {
    method: 'POST',
    path: '/api/v1/promote',
    access: 'admin',
    summary: 'Makes the challenger, or a variant by name, the champion',
    request: body('PromoteRequest'),
    answer: json('Promoted'),
  },
  rollback: {
    method: 'POST',
    path: '/api/v1/rollback',
    access: 'admin',
    summary: 'Swaps the champion with the former one',
    request: body('RollbackRequest'),
    answer: json('Promoted'),
  },
  delete: {
    method: 'DELETE',
    path: '/api/v1/deployment',
    access: 'admin',
    summary: 'Drains and stops everything; predictions and verdicts stay',
    answer: json('Deleted'),
  },
  race: {
    method: 'GET',
    path: '/api/v1/race',
    access: 'board',
    summary: 'The running race, else the last one',
    query: RACE_QUERY,
    answer: json('Race'),
  },
  races: {
    method: 'GET',
    path: '/api/v1/races',
    access: 'board',
    summary: 'The races that run, else the last one',
    answer: json('Races'),
  },
  raceSeries: {
    method: 'GET',
    path: '/api/v1/race/series',
    access: 'board',
    summary: "The improvement over the race's labels, for a chart",
    query: RACE_QUERY,
    answer: json('RaceSeries'),
  },
  outcomes: {
    method: 'GET',
    path: '/api/v1/races/{id}/outcomes',
    access: 'read',
    summary: 'Every outcome of a race as NDJSON, in the order of the requests',
    answer: { type: 'application/x-ndjson', schema: 'Outcome' },
    streams: true,
  },
  prediction: {
    method: 'GET',
    path: '/api/v1/predictions/{id}',
    access: 'read',
    summary: 'Where a prediction comes from: image, run, parameters, data, commit',
    answer: json('Trace'),
  },
  predictionRow: {
    method: 'GET',
    path: '/api/v1/predictions/{id}/{row}',
    access: 'read',
    summary: 'The same for one row of a batch',
    answer: json('Trace'),
  },
  records: {
    method: 'POST',
    path: '/api/v1/records',
    access: 'gateway',
    summary: 'Takes in records of predictions; a record that is known changes nothing',
    request: body('RecordBatch'),
    answer: json('RecordsStored'),
  },
  routes: {
    method: 'GET',
    path: '/api/v1/routes',
    access: 'gateway',
    summary: 'The routes; with watch=1 as NDJSON, one line for each change and a blank line every 10 s',
    query: { watch: '1 to keep the stream open' },
    answer: json('Routes'),
    streams: true,
  },
  truth: {
    method: 'POST',
    path: '/truth',
    access: 'truth',
    summary: 'Takes in what really happened: JSON, all of the items or none; or NDJSON of any length, as it arrives',
    query: { 'on-error': 'skip leaves out items that are wrong; default: refuse' },
    request: { schema: 'Truths', types: [JSON_TYPE, 'application/x-ndjson'] },
    answer: json('TruthsTaken'),
  },
  events: {
    method: 'GET',
    path: '/api/v1/events',
    access: 'board',
    summary: 'Server-sent events: status, race, decision',
    answer: { type: 'text/event-stream' },
    streams: true,
  },
  logs: {
    method: 'GET',
    path: '/api/v1/logs/{process}',
    access: 'read',
    summary: "The last lines of the gateway's or a replica's log",
    query: { lines: 'How many, 0–999999 (100)', follow: '1 to keep the stream open' },
    answer: { type: 'text/plain' },
    streams: true,
  },
} as const satisfies Record<string, Endpoint>

/** Name of an operation. */
export type Operation = keyof typeof ENDPOINTS

/** What of a path is the operation, or why there is none. */
export type Match =
  | { readonly operation: Operation; readonly args: Readonly<Record<string, string>> }
  | { readonly problem: 'path' }
  | { readonly problem: 'method'; readonly allowed: readonly string[] }

/** Finds the operation of a request; HEAD is a GET whose answer ends. */
export function findOperation(method: string, path: string): Match {
  const found = (Object.keys(ENDPOINTS) as Operation[]).flatMap(operation => {
    const args = matchPath(ENDPOINTS[operation].path, path)
    return args === undefined ? [] : [{ operation, args, methods: toMethods(ENDPOINTS[operation]) }]
  })
  if (found.length === 0) return { problem: 'path' }
  const match = found.find(one => one.methods.includes(method))
  return match ?? { problem: 'method', allowed: found.flatMap(one => one.methods) }
}

function toMethods(endpoint: Endpoint): readonly string[] {
  return endpoint.method === 'GET' && endpoint.streams === undefined ? ['GET', 'HEAD'] : [endpoint.method]
}

function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const wanted = pattern.split('/')
  const found = path.split('/')
  if (wanted.length !== found.length) return undefined
  const args: Record<string, string> = {}
  for (const [at, segment] of wanted.entries()) {
    const text = found[at] ?? ''
    if (!segment.startsWith('{')) {
      if (segment !== text) return undefined
      continue
    }
    const decoded = toDecoded(text)
    if (decoded === undefined || decoded === '') return undefined
    args[segment.slice(1, -1)] = decoded
  }
  return args
}

function toDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
