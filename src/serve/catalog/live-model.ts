import { toErrorText } from '../../core/errors.ts'
import type { ModelConfig, ServedVersion, VersionStatus } from './catalog.ts'
import { LiveVersion } from './live-version.ts'
import { type Loading, type ModelFile, toNoVersions } from './loading.ts'
import type { Queue } from './queue.ts'

/** Versions that are gone and are still told of; the lowest are forgotten. */
const MAX_ENDED = 16

/** What a model shares with the others. */
export interface ModelParts {
  readonly loading: Loading
  /** Gives each load its turn. */
  readonly turns: Queue
  /** Whether others are served while a version is loaded. */
  readonly isBusy: () => boolean
  /** Told that a version is in another state. */
  readonly onChange: () => void
}

/** The versions of one model, which follow what is wanted: a new one serves before an old one goes. */
export class LiveModel {
  config: ModelConfig
  /** Unloaded on request: what appears on disk is not loaded. */
  isUnloaded = false
  readonly #parts: ModelParts
  /** A version that is loaded again is here twice until the new one serves. */
  #versions: readonly LiveVersion[] = []
  #wanted: ReadonlyMap<number, ModelFile> = new Map()
  #problem: unknown
  readonly #works = new Set<Promise<void>>()
  readonly #found = Promise.withResolvers<void>()

  constructor(config: ModelConfig, parts: ModelParts) {
    this.config = config
    this.#parts = parts
  }

  get isLoading(): boolean {
    return this.#versions.some(version => version.isLoading)
  }

  /** What was thrown where nothing can be served: by the last look at the disk, or by the last load. */
  get problem(): unknown {
    return this.#problem ?? this.#failed()?.cause
  }

  /** Each version once, lowest first: the one that serves where there is one, else the newest. */
  get statuses(): readonly VersionStatus[] {
    const shown = new Map<number, LiveVersion>()
    for (const version of this.#versions) {
      if (shown.get(version.number)?.served === undefined) shown.set(version.number, version)
    }
    return [...shown.values()].map(version => version.status).sort((a, b) => a.version - b.version)
  }

  /** The given version, or the highest, where it is available. */
  find(number: number | undefined): ServedVersion | undefined {
    let found: ServedVersion | undefined
    for (const { served } of this.#versions) {
      if (served === undefined || (number !== undefined && served.version !== number)) continue
      if (found === undefined || served.version >= found.version) found = served
    }
    return found
  }

  /** Whether the given version, or any, is still to be loaded. */
  awaits(number: number | undefined): boolean {
    return this.#versions.some(version => version.isLoading && (number === undefined || version.number === number))
  }

  /** Looks for versions on disk; what cannot be read leaves everything as it is. */
  async look(): Promise<readonly ModelFile[] | undefined> {
    const { config } = this
    try {
      const files = await this.#parts.loading.find(config)
      this.#tell(files.length === 0 ? toNoVersions(config) : undefined)
      return this.config === config ? files : undefined
    } catch (error) {
      this.#tell(error)
      return undefined
    }
  }

  /** Keeps what is wrong on disk; it is logged once. */
  #tell(problem: unknown): void {
    if (problem !== undefined && toErrorText(problem) !== toErrorText(this.#problem)) {
      this.#parts.loading.logger?.warn({ model: this.config.name, error: toErrorText(problem) }, 'no versions found')
    }
    this.#problem = problem
  }

  /** Serves these versions from now on; `again` loads also those that are loaded. */
  aspire(files: readonly ModelFile[], again = false): void {
    this.#wanted = new Map(files.map(file => [file.version, file]))
    for (const file of files) {
      const last = this.#versions.findLast(version => version.number === file.version)
      if (again || last === undefined || isToBeLoaded(last, file)) this.#start(file)
    }
    this.#release()
    if (files.length > 0) this.#found.resolve()
  }

  /** Resolves once versions to serve were found and each is loaded or has failed for good. */
  async whenBegun(): Promise<void> {
    await this.#found.promise
    await this.settled()
  }

  /** Resolves once nothing is being loaded or unloaded. */
  async settled(): Promise<void> {
    while (this.#works.size > 0) await Promise.all(this.#works)
  }

  /** Unloads all, for as long as nobody asks for it again. */
  async retire(): Promise<void> {
    this.aspire([])
    this.#found.resolve()
    await this.settled()
  }

  /** Frees everything at once. */
  async abandon(): Promise<void> {
    this.#wanted = new Map()
    await Promise.all(this.#versions.map(version => version.abandon()))
  }

  #failed(): LiveVersion | undefined {
    return [...this.#wanted.keys()]
      .map(number => this.#versions.findLast(version => version.number === number))
      .find(version => version?.state === 'END' && version.cause !== undefined)
  }

  #start(file: ModelFile): void {
    const { loading, turns, isBusy, onChange } = this.#parts
    const version = new LiveVersion(this.config.name, file, onChange)
    this.#versions = [...this.#versions, version]
    this.#track(version.load(loading, turns, isBusy).then(() => this.#release()))
  }

  /** Unloads what is not wanted, unless nothing that is wanted serves yet. */
  #release(): void {
    const hasServing = [...this.#wanted.keys()].some(number => this.find(number) !== undefined)
    this.#versions.forEach((version, index) => {
      const isReplaced = this.#versions.some(
        (other, at) => at > index && other.number === version.number && other.served !== undefined,
      )
      const isUnwanted =
        !this.#wanted.has(version.number) && (version.isLoading || this.#wanted.size === 0 || hasServing)
      if ((isReplaced || isUnwanted) && (version.isLoading || version.served !== undefined)) this.#unload(version)
    })
    this.#forget()
  }

  #unload(version: LiveVersion): void {
    const { name } = this.config
    this.#parts.loading.logger?.info({ model: name, version: version.number }, 'unloading')
    this.#track(
      version.unload().catch(error => {
        const about = { model: name, version: version.number, error: toErrorText(error) }
        this.#parts.loading.logger?.error(about, 'not unloaded cleanly')
      }),
    )
  }

  /** Drops versions that ended, where there is a newer one of the same number or there are many. */
  #forget(): void {
    const kept = this.#versions.filter(
      (version, index) =>
        version.state !== 'END' || !this.#versions.some((other, at) => at > index && other.number === version.number),
    )
    const ended = kept.filter(version => version.state === 'END').sort((a, b) => b.number - a.number)
    const forgotten = new Set(ended.slice(MAX_ENDED))
    this.#versions = kept.filter(version => !forgotten.has(version))
  }

  #track(work: Promise<void>): void {
    this.#works.add(work)
    void work.finally(() => this.#works.delete(work))
  }
}

/** Whether the newest of its number is over, and it was not this same file that could not be loaded. */
function isToBeLoaded(last: LiveVersion, file: ModelFile): boolean {
  if (last.state === 'UNLOADING') return true
  if (last.state === 'END') return last.cause === undefined || last.file.stamp !== file.stamp
  return last.file.path !== file.path
}
