import { type ChannelOptions, Client, credentials, Metadata, type StatusObject } from '@grpc/grpc-js'
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

/** What goes with a call. */
export interface Sending {
  readonly metadata?: GrpcMetadata
  readonly deadlineMs?: number
}

/** The client of another project, without schema. */
export interface GrpcJsClient extends Disposable {
  start(path: string, message: Uint8Array, sending?: Sending): Underway
  call(path: string, message: Uint8Array, sending?: Sending): Promise<Seen>
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
  const start = (path: string, message: Uint8Array, sending: Sending = {}): Underway => {
    const deadline = Date.now() + (sending.deadlineMs ?? 20_000)
    const metadata = toMetadata(sending.metadata ?? {})
    const bytes = Buffer.from(message)
    // A unary call is a stream of one message to grpc-js, too.
    const stream = client.makeServerStreamRequest(path, identity, identity, bytes, metadata, { deadline })
    return { seen: watch(stream), cancel: () => stream.cancel() }
  }
  const call: GrpcJsClient['call'] = async (...args) => await start(...args).seen
  return { start, call, [Symbol.dispose]: () => client.close() }
}

function toMetadata(from: GrpcMetadata): Metadata {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(from))
    metadata.set(name, name.endsWith('-bin') ? Buffer.from(value ?? '', 'base64') : (value ?? ''))
  return metadata
}

function watch(call: ReturnType<Client['makeServerStreamRequest']>): Promise<Seen> {
  return new Promise(resolve => {
    const messages: Buffer[] = []
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
