import { createServer } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'
import { FLAG, FRAME, toFrameBytes } from '../frames.ts'
import { encodeHpack } from '../hpack-encoder.ts'
import type { H2Part } from '../stream.ts'
import { openOwn } from './answers.ts'
import { toWire } from './raw.ts'
import { REQUEST, readFrames } from './wire.ts'

/** What a server answered to requests on the streams 1, 3, 5, …. */
export interface Recording {
  readonly requests: number
  /** Byte by byte. */
  readonly frames: readonly Buffer[]
}

const REQUESTS = 5
const CALL_PARTS: readonly H2Part[] = [
  { kind: 'block', bytes: encodeHpack({ ...REQUEST, 'content-type': 'application/grpc', te: 'trailers' }) },
  { kind: 'data', bytes: toWire('hello') },
]

/** Answers of `node:http2`: with interim heads, trailers, a length, long bodies and a head alone. */
export async function recordNode(): Promise<Recording> {
  const server = createServer()
  server.on('stream', stream => {
    stream.on('error', () => {})
    stream.resume()
    if (stream.id === 1) return stream.respond({ ':status': 404 }, { endStream: true })
    if (stream.id === 3) stream.additionalHeaders({ ':status': 103, link: '</a>' })
    const isLong = stream.id === 5
    const length = stream.id === 7 ? { 'content-length': 5 } : {}
    stream.respond(
      { ':status': 200, 'x-own': `v${stream.id}`, 'set-cookie': ['a=1', 'b=2'], ...length },
      { waitForTrailers: true },
    )
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-trail': `t${stream.id}` }))
    stream.end(isLong ? Buffer.alloc(20_000, 'long') : 'hello')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    return await record((server.address() as AddressInfo).port)
  } finally {
    server.close()
  }
}

/** Answers of grpc-js: every other one is an error. */
export async function recordGrpcJs(): Promise<Recording> {
  const server = new Server()
  const identity = (bytes: Buffer): Buffer => bytes
  const codec = {
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  }
  let calls = 0
  server.addService(
    { C: { path: '/a.B/C', requestStream: false, responseStream: false, ...codec } },
    {
      C: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
        calls += 1
        const trailers = new Metadata()
        trailers.set('x-trail', `t${calls}`)
        if (calls % 2 === 0) answer({ code: 10, details: 'so be it', metadata: trailers })
        else answer(null, call.request, trailers)
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  try {
    return await record(port)
  } finally {
    server.forceShutdown()
  }
}

/** Asks, and takes what comes until all is answered. */
async function record(port: number): Promise<Recording> {
  const { client, sent, whole } = openOwn(REQUESTS, CALL_PARTS)
  const socket = connect({ port, host: '127.0.0.1' })
  const chunks: Buffer[] = []
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('The server closed the connection')))
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      client.connection.receive(chunk, 0)
      socket.write(Buffer.concat(client.connection.outbox.take()))
      if (whole.length === REQUESTS) resolve()
    })
    socket.write(sent)
  })
  socket.destroy()
  // An acknowledgement of settings is one of others.
  const frames = readFrames(Buffer.concat(chunks)).filter(
    ({ type, flags }) => type !== FRAME.settings || flags !== FLAG.ack,
  )
  return {
    requests: REQUESTS,
    frames: frames.map(frame => toFrameBytes(frame.type, frame.flags, frame.stream, frame.payload)),
  }
}
