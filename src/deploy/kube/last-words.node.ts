import { toErrorText } from '../../core/errors.ts'
import type { Kube } from './client.node.ts'
import type { KubeEvent } from './events.ts'
import { listPodLog } from './logs.node.ts'
import { type KubeObject, listAt, numberAt } from './object.ts'
import { listEnded } from './state.ts'

const LINES = 5
const MAX_LINE = 500
const MAX_READING = 4

/** Reads what containers printed before they ended, once for each end. */
export class LastWords {
  readonly #kube: Kube
  readonly #options: { readonly onChange: () => void; readonly onEvent: (event: KubeEvent) => void }
  readonly #signal: AbortSignal
  readonly #lines = new Map<string, readonly string[]>()
  /** Restarts that were looked at, by the pod's name. */
  readonly #read = new Map<string, number>()
  #reading = 0

  constructor(
    kube: Kube,
    options: { readonly onChange: () => void; readonly onEvent: (event: KubeEvent) => void },
    signal: AbortSignal,
  ) {
    this.#kube = kube
    this.#options = options
    this.#signal = signal
  }

  /** The last lines by the pod's name. */
  get lines(): ReadonlyMap<string, readonly string[]> {
    return this.#lines
  }

  /** Begins to read what is worth reading, and forgets pods that are gone. */
  readFor(pods: readonly KubeObject[]): void {
    const names = new Set(pods.map(pod => pod.metadata.name))
    for (const name of this.#read.keys()) {
      if (names.has(name)) continue
      this.#read.delete(name)
      this.#lines.delete(name)
    }
    const ended = new Set(listEnded(pods))
    for (const pod of pods) {
      const { name } = pod.metadata
      const restarts = numberAt(listAt(pod, 'status', 'containerStatuses')[0], 'restartCount')
      if (!ended.has(name) || this.#read.get(name) === restarts || this.#reading >= MAX_READING) continue
      this.#read.set(name, restarts)
      void this.#readOne(name)
    }
  }

  /** Never rejects. */
  async #readOne(name: string): Promise<void> {
    this.#reading += 1
    try {
      const lines: string[] = []
      const options = { lines: LINES, follow: false, previous: true }
      for await (const line of listPodLog(this.#kube, name, options, this.#signal)) lines.push(line.slice(0, MAX_LINE))
      this.#lines.set(name, lines)
      this.#options.onChange()
    } catch (error) {
      if (!this.#signal.aborted) this.#options.onEvent({ kind: 'log-unread', pod: name, reason: toErrorText(error) })
    } finally {
      this.#reading -= 1
    }
  }
}
