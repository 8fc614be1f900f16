import type { Socket } from 'node:net'
import type { GrpcConnections } from './connections.node.ts'

/** Connections whose server is loaded when the first of them comes, or before, when `load` is called. */
export class LateConnections {
  readonly #open: () => Promise<GrpcConnections>
  readonly #onError: ((error: unknown) => void) | undefined
  #opening: Promise<void> | undefined
  #opened: GrpcConnections | undefined
  #isDraining = false

  /** `open` loads; what it throws is told to `onError`, and it is tried again for the next connection. */
  constructor(open: () => Promise<GrpcConnections>, onError: ((error: unknown) => void) | undefined) {
    this.#open = open
    this.#onError = onError
  }

  /** Serves a connection. */
  take(socket: Socket): void {
    if (this.#opened !== undefined) this.#opened.take(socket, this.#isDraining)
    else void this.#takeLater(socket)
  }

  /** Never rejects; what is there already is not loaded again. */
  async load(): Promise<void> {
    this.#opening ??= this.#load()
    await this.#opening
  }

  /** Tells clients to go elsewhere, those too that come while it loads. */
  drain(): void {
    this.#isDraining = true
    this.#opened?.drain()
  }

  async #takeLater(socket: Socket): Promise<void> {
    // One that breaks off before it is taken says so to nobody else.
    socket.on('error', () => {})
    await this.load()
    if (this.#opened === undefined) socket.destroy()
    else if (!socket.destroyed) this.#opened.take(socket, this.#isDraining)
  }

  async #load(): Promise<void> {
    try {
      this.#opened = await this.#open()
    } catch (error) {
      this.#opening = undefined
      this.#onError?.(error)
    }
  }
}
