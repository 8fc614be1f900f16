import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Project, parseProject, type RaceConfig } from '../../config/index.ts'
import type { Digest } from '../../core/brands.ts'
import { toUuidV7 } from '../../core/uuid.ts'
import type { PredictionRecord } from '../../core/wire/records.ts'
import { type Annotations, type ImageLayout, MEDIA_TYPES, openLayout } from '../../oci/index.ts'
import { openSqliteStore, type Store } from '../../store/index.ts'
import { type Control, type ControlOptions, type ControlTimings, startControl } from '../control.node.ts'
import { type Scope, toScopedToken } from '../tokens.ts'
import { MapTarget, type TargetRecord } from './target.ts'

/** The admin token of every test. */
export const ADMIN = 'test-admin-token'
/** No waiting in tests. */
export const QUICK: Partial<ControlTimings> = {
  leaveMs: 10,
  raceDelayMs: 5,
  statusDelayMs: 5,
  drainMs: 300,
  beatMs: 50,
}

/** A folder of its own for one test, with a layout, a database and the target's record, which outlive a control. */
export class Place implements AsyncDisposable {
  readonly folder: string
  readonly layout: ImageLayout
  readonly record: TargetRecord = { routes: undefined }
  readonly #running: Running[] = []

  static async open(): Promise<Place> {
    const folder = await mkdtemp(join(tmpdir(), 'regatta-control-'))
    return new Place(folder, await openLayout(join(folder, 'oci')))
  }

  private constructor(folder: string, layout: ImageLayout) {
    this.folder = folder
    this.layout = layout
  }

  /** Puts an image of a version into the layout. */
  async addImage(version: number, annotations: Annotations = {}): Promise<Digest> {
    const config = await this.layout.writeBlob(new TextEncoder().encode(`{"v":${version}}`), MEDIA_TYPES.config)
    const { digest } = await this.layout.putManifest({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.manifest,
      config,
      layers: [],
      annotations: { 'dev.regatta.version': String(version), ...annotations },
    })
    return digest
  }

  /** Starts a control on what an earlier one left. */
  async start(
    race: Partial<RaceConfig> = {},
    timings: Partial<ControlTimings> = {},
    prepare: (target: MapTarget) => void = () => {},
    more: Partial<ControlOptions> = {},
  ): Promise<Running> {
    const target = new MapTarget(this.record)
    prepare(target)
    const store = await openSqliteStore(join(this.folder, 'regatta.db'), { clock: Date.now })
    const problems: string[] = []
    const note = (detail: object, message: string): void => void problems.push(`${message} ${JSON.stringify(detail)}`)
    const control = await startControl(
      {
        project: toProject(this.folder, race),
        target,
        store,
        layout: this.layout,
        host: '127.0.0.1',
        port: 0,
        adminToken: ADMIN,
        clock: Date.now,
        logger: { info: () => {}, warn: note, error: note },
        timings: { ...QUICK, ...timings },
        ...more,
      },
      new AbortController().signal,
    )
    const running = new Running(control, target, store, problems)
    this.#running.push(running)
    return running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running) await running.stop()
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** A running control and the parts that it works with. */
export class Running {
  readonly control: Control
  readonly target: MapTarget
  readonly store: Store
  /** What was logged as a warning or an error. */
  readonly problems: readonly string[]
  #stopped = false

  constructor(control: Control, target: MapTarget, store: Store, problems: readonly string[]) {
    this.control = control
    this.target = target
    this.store = store
    this.problems = problems
  }

  /** Calls an operation as the admin, as a bearer of a scope's token, or as nobody. */
  async call(path: string, init: RequestInit = {}, as: Scope | 'nobody' = 'admin'): Promise<Response> {
    const token = as === 'admin' || as === 'nobody' ? ADMIN : toScopedToken(ADMIN, as)
    const headers = as === 'nobody' ? {} : { authorization: `Bearer ${token}` }
    return await fetch(`${this.control.url}${path}`, { ...init, headers: { ...headers, ...init.headers } })
  }

  /** The JSON of an answer, whatever its status. */
  async json(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) }
    const response = await this.call(path, init)
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  /** Stops control and what it works with, as the end of a process does. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    await this.control.close()
    await this.target[Symbol.asyncDispose]()
    await this.store[Symbol.asyncDispose]()
  }
}

/** A project in a folder, with a race as the test wants it. */
export function toProject(folder: string, race: Partial<RaceConfig>): Project {
  const text =
    'name: forecast\nimage: { loops: keep }\ntargets: { local: { httpPort: 0, grpcPort: 0, controlPort: 0 } }'
  const project = parseProject(text, { folder, env: {} })
  return { ...project, race: { ...project.race, ...race } }
}

/** A request's id, the same for the same number. */
export function toRequestId(number: number): string {
  const random = new Uint8Array(16)
  new DataView(random.buffer).setUint32(4, number)
  return toUuidV7(Date.UTC(2026, 0, 1) + number, random)
}

/** The record of one answer with one row. */
export function toRecord(
  number: number,
  variant: number,
  prediction: number,
  more: Partial<PredictionRecord> = {},
): PredictionRecord {
  return {
    request: toRequestId(number),
    at: Date.UTC(2026, 0, 1) + number,
    variant,
    epoch: 1,
    served: true,
    propensity: 1,
    status: 200,
    latencyUs: 1500,
    replica: 'a-1',
    rows: [{ prediction }],
    ...more,
  }
}

/** A batch as gateways send it. */
export function toBatch(records: readonly PredictionRecord[], dropped = 0): object {
  return { schema: 'regatta/records/v1', gateway: 'g1', dropped, records }
}
