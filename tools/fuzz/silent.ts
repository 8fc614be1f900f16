import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { FRAME, FrameClient, toCallHead, toData, toFrame } from '../../src/core/http2/testing/frames.ts'
import type { Place } from './places.ts'

const PREFACE = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), toFrame(FRAME.settings, 0)])
const PATH = '/inference.GRPCInferenceService/ModelInfer'
const HEAD = 'POST /v1/models/m:predict HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n'

/** Beginnings after which nothing comes, or a byte each second. */
const BEGINNINGS: Readonly<Record<'http' | 'grpc', Readonly<Record<string, { bytes: Buffer; drip?: string }>>>> = {
  http: {
    'half a head': { bytes: Buffer.from(HEAD) },
    'half a head, then slowly': { bytes: Buffer.from(HEAD), drip: 'x' },
    'half a body': { bytes: Buffer.from(`${HEAD}\r\n{"instances":`) },
    'half a body, then slowly': { bytes: Buffer.from(`${HEAD}\r\n{"instances":`), drip: ' ' },
    'half a chunk': {
      bytes: Buffer.from('POST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n99\r\n{'),
      drip: ' ',
    },
  },
  grpc: {
    nothing: { bytes: Buffer.alloc(0) },
    'half a preface': { bytes: PREFACE.subarray(0, 10) },
    'no call': { bytes: PREFACE },
    'half a frame': { bytes: Buffer.concat([PREFACE, toCallHead(1, { ':path': PATH }).subarray(0, 20)]), drip: 'x' },
  },
}

/** Of each beginning. */
const CONNECTIONS = 24
/** The time that a request may take to arrive (30 s), which is looked at every 30 s, and some more. */
const PATIENCE_MS = 75_000

/** Connections that do not go on; the server has to end them. */
export interface Silent extends Disposable {
  /** Waits until the server has ended all of them; says which it did not. */
  settle(): Promise<string | undefined>
}

/** Opens connections to a place that begin something and never end it. */
export function openSilent({ http, grpc }: Place): Silent {
  const startedAt = performance.now()
  const open = new Map<Socket, string>()
  const begin = (port: number, name: string, bytes: Buffer, drip?: string): void => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    open.set(socket, name)
    socket.write(bytes)
    const dripping = drip === undefined ? undefined : setInterval(() => socket.write(drip), 1000)
    socket.resume().once('close', () => {
      clearInterval(dripping)
      open.delete(socket)
    })
  }
  for (const [door, port] of [
    ['http', http],
    ['grpc', grpc],
  ] as const)
    for (const [name, { bytes, drip }] of Object.entries(BEGINNINGS[door]))
      for (let count = 0; count < CONNECTIONS; count++) begin(port, `${door}: ${name}`, bytes, drip)
  const answered = openHalfCall(grpc)
  return {
    async settle() {
      while ((open.size > 0 || !answered.isOver()) && performance.now() - startedAt < PATIENCE_MS) await sleep(50)
      const names = [...new Set(open.values()), ...(answered.isOver() ? [] : ['grpc: half a call'])]
      return names.length === 0 ? undefined : `still open after ${PATIENCE_MS} ms: ${names.join(', ')}`
    },
    [Symbol.dispose]() {
      answered[Symbol.dispose]()
      for (const socket of open.keys()) socket.destroy()
    },
  }
}

/** A call that has begun and does not go on: its server answers it, and keeps the connection. */
function openHalfCall(port: number): Disposable & { isOver(): boolean } {
  const client = new FrameClient(port)
  client.write(toCallHead(1, { ':path': PATH }), toData(1, Buffer.of(0, 0, 0, 1, 0, 1)))
  return {
    isOver: () => client.isClosed || client.has(FRAME.headers, 1),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  }
}
