import type { H2Block } from './block.ts'
import { H2Connection, type H2Side, STREAM_WINDOW_BYTES } from './connection.ts'
import { H2Error } from './errors.ts'
import { H2Guard } from './guard.ts'
import { type H2Head, H2HeadReader, type ReadH2Head } from './head.ts'
import { toSettingsFrame } from './settings.ts'
import type { H2Stream } from './stream.ts'

/** What the clients of a server may do, each on its connection. */
export interface H2Limits {
  readonly maxConcurrentStreams: number
  readonly maxHeaderListBytes: number
  readonly maxResetsPerSecond: number
}

/** Who answers the requests of a connection. */
export interface H2ServerWorld {
  readonly limits: H2Limits
  /** Takes a stream, and listens to it before this returns. */
  readonly onRequest: (stream: H2Stream, head: H2Head) => void
  /** Something is ready to be written. */
  readonly onOutput: () => void
}

/** The server's side of an HTTP/2 connection. */
export class H2Server implements H2Side {
  readonly isClient = false
  readonly guard: H2Guard
  readonly connection: H2Connection
  readonly #world: H2ServerWorld
  readonly #heads: H2HeadReader
  #lastId = 0

  constructor(world: H2ServerWorld) {
    const { maxHeaderListBytes, maxResetsPerSecond } = world.limits
    this.#world = world
    this.#heads = new H2HeadReader(maxHeaderListBytes, false)
    this.guard = new H2Guard(maxResetsPerSecond)
    this.connection = new H2Connection(this, world.onOutput)
  }

  /** The last request; 0 before the first. */
  get lastPeerId(): number {
    return this.#lastId
  }

  /** Says what it allows. */
  start(): void {
    const { maxConcurrentStreams, maxHeaderListBytes: maxHeaderList } = this.#world.limits
    this.connection.start(toSettingsFrame({ maxConcurrentStreams, initialWindow: STREAM_WINDOW_BYTES, maxHeaderList }))
  }

  hasBegun(id: number): boolean {
    return id % 2 === 1 && id <= this.#lastId
  }

  takeSettings(): void {}

  /** Its client asks for nothing more. */
  takeGoAway(): void {
    this.connection.goAway('NO_ERROR')
  }

  takeBlock({ stream: id, bytes, isLast }: H2Block): void {
    if (id % 2 === 0) throw new H2Error('PROTOCOL_ERROR', `A client begins stream ${id}: expected an odd number`)
    const isNew = id > this.#lastId
    const head = this.#heads.read(bytes, !isNew)
    if (!isNew) return void this.#takeTrailers(id, head, isLast)
    this.#lastId = id
    if (this.connection.isDraining) return void (isLast || this.connection.remember(id))
    if (head === 'malformed' || head === 'too-long') return void this.#refuse(id, head, isLast)
    if (this.connection.streams >= this.#world.limits.maxConcurrentStreams)
      return void this.connection.refuse(id, 'REFUSED_STREAM', isLast)
    this.guard.countUseful()
    const stream = this.connection.open(id)
    stream.begin(head.contentLength, isLast)
    this.#world.onRequest(stream, head)
    if (isLast) this.connection.expect(stream, stream.endReceive())
  }

  #refuse(id: number, why: 'malformed' | 'too-long', isLast: boolean): void {
    this.guard.countFault()
    this.connection.refuse(id, why === 'malformed' ? 'PROTOCOL_ERROR' : 'ENHANCE_YOUR_CALM', isLast)
  }

  #takeTrailers(id: number, head: ReadH2Head, isLast: boolean): void {
    const stream = this.connection.findOpen(id, isLast)
    if (stream === undefined) this.guard.countIdle()
    else this.connection.expect(stream, stream.receiveTrailers(head, isLast))
  }
}
