import type { Model } from '../model.ts'
import { type ServedVersion, toNotLoaded, type VersionError, type VersionState, type VersionStatus } from './catalog.ts'
import { type Loading, type ModelFile, type OpenedVersion, toVersionError } from './loading.ts'
import type { Queue } from './queue.ts'

/** One version from the wish to serve it until it is gone. */
export class LiveVersion {
  readonly file: ModelFile
  readonly #name: string
  readonly #onChange: () => void
  readonly #cancel = new AbortController()
  #state: VersionState = 'START'
  /** What was thrown at the last try to load it. */
  #cause: unknown
  #opened: OpenedVersion | undefined
  #served: ServedVersion | undefined
  #inFlight = 0
  #onIdle = (): void => {}

  /** `onChange` is told that its state is another. */
  constructor(name: string, file: ModelFile, onChange: () => void) {
    this.#name = name
    this.file = file
    this.#onChange = onChange
  }

  get number(): number {
    return this.file.version
  }

  get state(): VersionState {
    return this.#state
  }

  /** To infer with; undefined where it is not available. */
  get served(): ServedVersion | undefined {
    return this.#state === 'AVAILABLE' ? this.#served : undefined
  }

  get isLoading(): boolean {
    return this.#state === 'START' || this.#state === 'LOADING'
  }

  /** What was thrown at the last try, where it could not be loaded. */
  get cause(): unknown {
    return this.#cause
  }

  get status(): VersionStatus {
    const error: VersionError | undefined = this.#cause === undefined ? undefined : toVersionError(this.#cause)
    return { version: this.number, state: this.#state, error }
  }

  /** Loads it, in its turn and with retries. Never rejects: the state tells the end. */
  async load(loading: Loading, turns: Queue, isBusy: () => boolean): Promise<void> {
    const { signal } = this.#cancel
    for (let retries = 0; !signal.aborted; retries += 1) {
      try {
        return await this.#open(loading, turns, isBusy)
      } catch (error) {
        if (signal.aborted) break
        this.#cause = error
        const last = retries >= loading.limits.maxLoadRetries
        const about = { model: this.#name, version: this.number, retries, error: toVersionError(error).message }
        loading.logger?.error(about, last ? 'not loaded' : 'not loaded, to be tried again')
        if (last) break
        // An end of the wait before its time is seen above.
        await loading.sleep(loading.limits.loadRetryMs, signal).catch(() => undefined)
      }
    }
    this.#become('END')
  }

  /** Takes no new requests, finishes those in flight, and frees what it holds; a load under way is given up. */
  async unload(): Promise<void> {
    this.#cancel.abort()
    if (this.#state !== 'AVAILABLE') return
    this.#become('UNLOADING')
    if (this.#inFlight > 0) await new Promise<void>(resolve => (this.#onIdle = resolve))
    await this.#free()
    this.#become('END')
  }

  /** Frees what it holds, whoever uses it. */
  async abandon(): Promise<void> {
    this.#cancel.abort()
    await this.#free()
    this.#become('END')
  }

  #become(state: VersionState): void {
    this.#state = state
    this.#onChange()
  }

  async #free(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    this.#served = undefined
    await opened?.[Symbol.asyncDispose]()
  }

  async #open(loading: Loading, turns: Queue, isBusy: () => boolean): Promise<void> {
    const opened = await turns.run(() => {
      this.#become('LOADING')
      return loading.open(this.#name, this.file, isBusy())
    }, this.#cancel.signal)
    if (this.#cancel.signal.aborted) {
      await opened[Symbol.asyncDispose]()
      throw new Error('It is not wanted any more')
    }
    // An engine that is closed ends, too.
    opened.lost.catch(error => {
      if (this.#opened === opened) loading.onLost(error)
    })
    this.#opened = opened
    this.#served = { name: this.#name, version: this.number, about: opened.about, model: this.#toCounted(opened.model) }
    this.#cause = undefined
    this.#become('AVAILABLE')
    loading.logger?.info({ model: this.#name, version: this.number }, 'available')
  }

  /** Counts the requests in flight, which are waited for before the version goes. */
  #toCounted(model: Model): Model {
    return {
      ...model,
      infer: async (...parameters) => {
        if (this.#served === undefined) throw toNotLoaded(this.#name)
        this.#inFlight += 1
        try {
          return await model.infer(...parameters)
        } finally {
          this.#inFlight -= 1
          if (this.#inFlight === 0) this.#onIdle()
        }
      },
    }
  }
}
