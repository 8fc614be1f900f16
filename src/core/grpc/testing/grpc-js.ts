import {
  type ChannelOptions,
  Client,
  type ClientReadableStream,
  credentials,
  Metadata,
  type StatusObject,
} from '@grpc/grpc-js'
import type { GrpcMetadata } from '../grpc.ts'

/** What grpc-js saw of a call. */
export interface Seen {
  readonly code: number
  readonly details: string
  readonly messages: readonly Buffer[]
  readonly metadata: Readonly<Record<string, unknown>>
  readonly trailers: Readonly<Record<string, unknown>>
}

/** A call that is under way. */
export interface Underway {
  readonly seen: Promise<Seen>
  cancel(): void
}

/** A call of many messages that is under way. */
export interface Conversation extends Underway {
  /** The messages so far. */
  readonly messages: readonly Buffer[]
  send(message: Uint8Array): void
  /** Says that no more will come. */
  end(): void
}

/** What goes with a call. */
export interface Sending {
  readonly metadata?: GrpcMetadata
  readonly deadlineMs?: number
}

/** The client of another project, without schema. */
export interface GrpcJsClient extends Disposable {
  start(path: string, message: Uint8Array, sending?: Sending): Underway
  call(path: string, message: Uint8Array, sending?: Sending): Promise<Seen>
  converse(path: string, sending?: Sending): Conversation
}

const identity = (bytes: Buffer): Buffer => bytes

/** Opens a grpc-js client; `tls` are its root certificate and, where it has one, its own. */
export function openGrpcJs(
  port: number,
  options: ChannelOptions = {},
  tls?: { ca: string; key?: string; cert?: string },
): GrpcJsClient {
  const own = tls?.key === undefined || tls.cert === undefined ? [] : [Buffer.from(tls.key), Buffer.from(tls.cert)]
  const how = tls === undefined ? credentials.createInsecure() : credentials.createSsl(Buffer.from(tls.ca), ...own)
  const unlimited = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 }
  const client = new Client(`127.0.0.1:${port}`, how, { ...unlimited, ...options })
  const toOptions = ({ deadlineMs = 20_000 }: Sending) => ({ deadline: Date.now() + deadlineMs })
  const start = (path: string, message: Uint8Array, sending: Sending = {}): Underway => {
    const metadata = toMetadata(sending.metadata ?? {})
    const bytes = Buffer.from(message)
    // A unary call is a stream of one message to grpc-js, too.
    const stream = client.makeServerStreamRequest(path, identity, identity, bytes, metadata, toOptions(sending))
    return { seen: watch(stream), cancel: () => stream.cancel() }
  }
  const call: GrpcJsClient['call'] = async (...args) => await start(...args).seen
  const converse = (path: string, sending: Sending = {}): Conversation => {
    const metadata = toMetadata(sending.metadata ?? {})
    const stream = client.makeBidiStreamRequest<Buffer, Buffer>(path, identity, identity, metadata, toOptions(sending))
    const messages: Buffer[] = []
    return {
      seen: watch(stream, messages),
      messages,
      send: message => void stream.write(Buffer.from(message)),
      end: () => stream.end(),
      cancel: () => stream.cancel(),
    }
  }
  return { start, call, converse, [Symbol.dispose]: () => client.close() }
}

function toMetadata(from: GrpcMetadata): Metadata {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(from))
    metadata.set(name, name.endsWith('-bin') ? Buffer.from(value ?? '', 'base64') : (value ?? ''))
  return metadata
}

function watch(call: ClientReadableStream<Buffer>, messages: Buffer[] = []): Promise<Seen> {
  return new Promise(resolve => {
    let metadata: Readonly<Record<string, unknown>> = {}
    call.on('metadata', (got: Metadata) => {
      metadata = got.getMap()
    })
    call.on('data', (message: Buffer) => messages.push(message))
    // 'status' tells the same.
    call.on('error', () => {})
    call.on('status', ({ code, details, metadata: got }: StatusObject) =>
      resolve({ code, details, messages, metadata, trailers: got.getMap() }),
    )
  })
}
