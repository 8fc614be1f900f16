import { Changes } from '../../core/changes.ts'
import { RegattaError, toErrorText } from '../../core/errors.ts'
import { Refusal } from '../errors.ts'
import { noteModel } from '../telemetry/call.ts'
import {
  type Catalog,
  type ModelConfig,
  type ServedVersion,
  toNotFound,
  toNotLoaded,
  type VersionStatus,
  type WantedVersion,
} from './catalog.ts'
import { checkConfigs, isSameConfig } from './check-configs.ts'
import { LiveModel, type ModelParts } from './live-model.ts'
import type { Loading, ModelFile } from './loading.ts'
import { toQueue } from './queue.ts'

/** The catalog of a running server. Changes that are asked for are made one after the other. */
export class LiveCatalog implements Catalog, AsyncDisposable {
  readonly #loading: Loading
  readonly #parts: ModelParts
  readonly #models = new Map<string, LiveModel>()
  readonly #changes = toQueue({ parallel: 1, maxWaiting: MAX_CHANGES })
  readonly #end = new AbortController()
  readonly #states = new Changes()
  #hasBegun = false

  constructor(loading: Loading) {
    this.#loading = loading
    const turns = toQueue({ parallel: loading.limits.parallelLoads, maxWaiting: Number.POSITIVE_INFINITY })
    this.#parts = { loading, turns, isBusy: () => this.#hasBegun, onChange: () => this.#states.tell() }
  }

  get names(): readonly string[] {
    return [...this.#models.keys()]
  }

  get isReady(): boolean {
    return this.#hasBegun && this.isServing
  }

  get isServing(): boolean {
    return [...this.#models.values()].some(model => model.find(undefined) !== undefined)
  }

  find(wanted: WantedVersion): ServedVersion {
    const { name, version, label } = wanted
    const model = this.#models.get(name)
    const number = label === undefined ? version : model?.config.labels.get(label)
    if (label !== undefined && number === undefined)
      throw new Refusal('BAD_REQUEST', `Unrecognized servable version label: ${label}`)
    const served = model?.find(number)
    if (served !== undefined) {
      noteModel(served.model.metrics)
      return served
    }
    throw model?.awaits(number) ? toNotLoaded(name) : toNotFound({ name, version: number })
  }

  onChange(listener: () => void): () => void {
    return this.#states.onChange(listener)
  }

  versions(name: string): readonly VersionStatus[] {
    return this.#models.get(name)?.statuses ?? []
  }

  /**
   * Finds what is first to be served, before anything is loaded.
   * @throws a configuration's BAD_REQUEST; MODEL_MISSING where nothing is there, and nothing is waited for
   */
  async prepare(configs: readonly ModelConfig[]): Promise<() => Promise<void>> {
    checkConfigs(configs)
    const { pollMs } = this.#loading.limits
    for (const config of configs) this.#models.set(config.name, new LiveModel(config, this.#parts))
    const found: [LiveModel, readonly ModelFile[]][] = []
    for (const model of this.#models.values()) {
      if (pollMs < 0) model.isUnloaded = true
      else found.push([model, (await model.look()) ?? []])
    }
    if (pollMs === 0 && found.length > 0 && found.every(([, files]) => files.length === 0)) throw this.#toProblem()
    return () => this.#begin(found)
  }

  async load(name: string): Promise<void> {
    await this.#inTurn(async () => {
      const model = this.#toModel(name)
      model.isUnloaded = false
      const files = await model.look()
      if (files !== undefined) model.aspire(files, true)
      await model.settled()
      if (model.problem !== undefined) throw toLoadFailed([model])
    })
  }

  async unload(name: string): Promise<void> {
    await this.#inTurn(async () => {
      const model = this.#toModel(name)
      model.isUnloaded = true
      await model.retire()
    })
  }

  async reload(configs: readonly ModelConfig[]): Promise<void> {
    checkConfigs(configs)
    await this.#inTurn(async () => {
      for (const config of configs) this.#checkLabels(config)
      await this.#change(configs)
      const absent = [...this.#models].filter(([name]) => !configs.some(config => config.name === name))
      await Promise.all(absent.map(([, model]) => model.retire()))
      for (const [name] of absent) this.#models.delete(name)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort()
    await Promise.all([...this.#models.values()].map(model => model.abandon()))
  }

  async #begin(found: readonly (readonly [LiveModel, readonly ModelFile[]])[]): Promise<void> {
    const { pollMs } = this.#loading.limits
    for (const [model, files] of found) model.aspire(files)
    if (pollMs > 0) void this.#poll(pollMs)
    const awaited = found.filter(([, files]) => files.length > 0 || pollMs > 0)
    await Promise.all(awaited.map(([model]) => model.whenBegun()))
    const problem = this.#toProblem()
    if (problem !== undefined && !this.isServing && !this.#end.signal.aborted) throw problem
    this.#warnOfLabels()
    this.#hasBegun = true
    this.#states.tell()
  }

  /** Never rejects: what goes wrong is told in the log and in the status. */
  async #poll(pollMs: number): Promise<void> {
    const { signal } = this.#end
    while (!signal.aborted) {
      await this.#loading.sleep(pollMs, signal).catch(() => undefined)
      await Promise.all([...this.#models.values()].map(model => this.#lookAgain(model)))
    }
  }

  async #lookAgain(model: LiveModel): Promise<void> {
    if (model.isUnloaded) return
    const files = await model.look()
    const isCurrent = this.#models.get(model.config.name) === model && !model.isUnloaded && !this.#end.signal.aborted
    if (files !== undefined && isCurrent) model.aspire(files)
  }

  /** Loads new and changed models; where one cannot be, all is as it was. */
  async #change(configs: readonly ModelConfig[]): Promise<void> {
    const changed = configs.flatMap((config): Change[] => {
      const model = this.#models.get(config.name)
      if (model === undefined) return [{ config, model: new LiveModel(config, this.#parts), before: undefined }]
      return isSameConfig(model.config, config) && !model.isUnloaded ? [] : [{ config, model, before: model.config }]
    })
    for (const { config, model } of changed) this.#models.set(config.name, model)
    await Promise.all(changed.map(({ config, model }) => this.#follow(model, config)))
    const failed = changed.filter(({ model }) => model.problem !== undefined).map(({ model }) => model)
    if (failed.length === 0) return
    const failure = toLoadFailed(failed)
    for (const { model, before } of changed) {
      if (before !== undefined) await this.#follow(model, before)
      else {
        await model.retire()
        this.#models.delete(model.config.name)
      }
    }
    throw failure
  }

  async #follow(model: LiveModel, config: ModelConfig): Promise<void> {
    model.config = config
    model.isUnloaded = false
    const files = await model.look()
    if (files !== undefined) model.aspire(files)
    await model.settled()
  }

  /** server_core.cc, `UpdateModelVersionLabelMap`. */
  #checkLabels(config: ModelConfig): void {
    const model = this.#models.get(config.name)
    for (const [label, version] of config.labels) {
      const before = model?.config.labels.get(label)
      const mayWait = this.#loading.limits.allowLabelsOnUnavailable && (before === undefined || before === version)
      if (mayWait || model?.find(version) !== undefined) continue
      throw new Refusal(
        'PRECONDITION',
        `Request to assign label to version ${version} of model ${config.name}, which is not currently available for inference`,
      )
    }
  }

  #warnOfLabels(): void {
    for (const model of this.#models.values()) {
      const { name, labels } = model.config
      for (const [label, version] of labels) {
        if (model.find(version) !== undefined) continue
        this.#loading.logger?.warn({ model: name, label, version }, 'a label is on a version that is not available')
      }
    }
  }

  #toModel(name: string): LiveModel {
    const model = this.#models.get(name)
    if (model === undefined) throw toNotFound({ name })
    return model
  }

  #toProblem(): unknown {
    return [...this.#models.values()].map(model => model.problem).find(problem => problem !== undefined)
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    await this.#changes.run(work, this.#end.signal)
  }
}

/** A model that a reload touches; it is new where there is nothing before. */
interface Change {
  readonly config: ModelConfig
  readonly model: LiveModel
  readonly before: ModelConfig | undefined
}

/** Changes that wait for another to be made; more are refused. */
const MAX_CHANGES = 16

function toLoadFailed(models: readonly LiveModel[]): Refusal {
  const texts = models.map(({ config, problem }) => `{${config.name} due to error: ${toErrorText(problem)}}`)
  const cause = models[0]?.problem
  const fix = cause instanceof RegattaError && cause.fix !== undefined ? ` (${cause.fix})` : ''
  return new Refusal('LOAD_FAILED', `${models.length} model(s) did not become available: ${texts.join(', ')}${fix}`, {
    cause,
  })
}
