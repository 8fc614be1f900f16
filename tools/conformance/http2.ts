import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { encodeHpack } from '../../src/core/http2/hpack-encoder.ts'
import { H2ServerSocket, type H2SocketWorld } from '../../src/core/http2/server-socket.node.ts'
import type { H2Stream } from '../../src/core/http2/stream.ts'
import { listen } from '../../src/core/listen.node.ts'
import { ensureComponents } from '../images/components.ts'
import type { Asked } from './client.ts'

/** For one test to end, and for all of them. */
const TEST_S = 10
const LIMIT_MS = 600_000

/**
 * Asks the HTTP/2 under the gRPC ports whether it is as RFC 9113 and RFC 7541 have it: h2spec's own 146 tests. It answers
 * every request, which the ports do not: what h2spec sends is no gRPC.
 */
export async function checkHttp2(): Promise<Asked> {
  console.log('=== h2spec → HTTP/2')
  const { h2spec } = ensureComponents(['h2spec'])
  if ('problem' in h2spec) return fail(h2spec.problem)
  const world = toWorld()
  const server = createServer({ noDelay: true }, socket => new H2ServerSocket(socket, world))
  const { port } = await listen(server, { port: 0 })
  try {
    return await runH2spec(h2spec.path, port)
  } finally {
    for (const socket of world.sockets) socket.drain()
    server.close()
  }
}

function toWorld(): H2SocketWorld {
  return {
    limits: { maxConcurrentStreams: 100, maxHeaderListBytes: 16 * 1024, maxResetsPerSecond: 500 },
    newTimeoutMs: 60_000,
    idleTimeoutMs: 60_000,
    onRequest: stream => answer(stream),
    onError: error => console.log(error),
    sockets: new Set(),
  }
}

/** Answers a request once it is whole. */
function answer(stream: H2Stream): void {
  const head = { kind: 'block', bytes: encodeHpack({ ':status': '200' }) } as const
  const body = { kind: 'data', bytes: Buffer.from('an answer') } as const
  stream.listen({
    onHead() {},
    onTrailers() {},
    onData: bytes => stream.giveBack(bytes.length),
    onEnd: () => stream.send([head, body], true),
    onDrain() {},
    onClose() {},
  })
}

async function runH2spec(path: string, port: number): Promise<Asked> {
  const args = ['--strict', '--host', '127.0.0.1', '--port', String(port), '--timeout', String(TEST_S)]
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: LIMIT_MS })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await new Promise(resolve => child.once('close', resolve))
  const [, passed, skipped, failed] = /^\d+ tests, (\d+) passed, (\d+) skipped, (\d+) failed$/m.exec(text) ?? []
  if (passed === undefined) return fail(`h2spec ended without its closing line:\n${text}`)
  const asked = { passed: Number(passed), failed: Number(skipped) + Number(failed) }
  if (asked.failed > 0) console.log(text)
  return asked
}

function fail(reason: string): Asked {
  console.log(`✖ ${reason}`)
  return { passed: 0, failed: 1 }
}
