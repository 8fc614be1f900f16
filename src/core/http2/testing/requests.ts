import { performServerHandshake } from 'node:http2'
import { Duplex } from 'node:stream'
import { type H2Code, H2Error } from '../errors.ts'
import { FRAME, H2FrameReader, PREFACE } from '../frames.ts'
import { H2Server } from '../server.ts'
import type { H2Stream } from '../stream.ts'

/** What a server made of the frames that it was sent. */
export interface SeenRequests {
  /** Each as text, in the order in which they became whole. */
  readonly whole: readonly string[]
  /** The error that ended the connection. */
  readonly error: H2Code | 'other' | undefined
  /** Streams that it reset. */
  readonly resets: readonly number[]
}

/** A request as text. */
function toText(headers: Readonly<Record<string, string>>, body: readonly Buffer[]): string {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [...fields, '', Buffer.concat(body).toString('latin1')].join('\n')
}

/** Gives chunks to a connection of our own. */
export function seeOwn(chunks: readonly Buffer[]): SeenRequests {
  const whole: string[] = []
  const server = new H2Server({
    limits: { maxConcurrentStreams: 100, maxHeaderListBytes: 16 * 1024, maxResetsPerSecond: 1000 },
    onOutput() {},
    onRequest(stream, { headers }) {
      const body: Buffer[] = []
      listen(stream, body, () => whole.push(toText(headers, body)))
    },
  })
  server.start()
  const { connection } = server
  let error: SeenRequests['error']
  try {
    for (const chunk of [PREFACE, ...chunks]) connection.receive(chunk, 0)
  } catch (thrown) {
    if (!(thrown instanceof H2Error)) throw thrown
    error = thrown.code
  }
  const reader = new H2FrameReader(true)
  for (const piece of [PREFACE, ...connection.outbox.take()]) reader.push(Buffer.from(piece))
  const resets: number[] = []
  for (let frame = reader.next(); frame !== undefined; frame = reader.next())
    if (frame.type === FRAME.reset) resets.push(frame.stream)
  return { whole, error, resets }
}

function listen(stream: H2Stream, body: Buffer[], onEnd: () => void): void {
  stream.listen({
    onHead() {},
    onTrailers() {},
    onData(bytes) {
      body.push(bytes)
      stream.giveBack(bytes.length)
    },
    onEnd,
    onDrain() {},
    onClose() {},
  })
}

/** Turns of the event loop after which all that a frame brings has been told. */
const TURNS = 6

/** Lets all happen that is due. */
export const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/**
 * Gives frames to a connection of `node:http2`, one by one: what it says of one may come late. It ends the connection
 * at errors that HTTP/2 calls those of a stream, too.
 */
export async function seeNodes(frames: readonly Buffer[]): Promise<Pick<SeenRequests, 'whole'> & { isEnded: boolean }> {
  const whole: string[] = []
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  const session = performServerHandshake(socket)
  session.on('error', () => {})
  session.on('stream', (stream, _headers, _flags, raw: readonly string[]) => {
    const body: Buffer[] = []
    stream.on('error', () => {})
    stream.on('data', (chunk: Buffer) => body.push(chunk))
    stream.on('end', () => {
      if (!stream.aborted) whole.push(toText(joinRaw(raw), body))
    })
  })
  for (const frame of [PREFACE, ...frames]) {
    if (session.destroyed) break
    socket.push(frame)
    for (let turns = 0; turns < TURNS; turns += 1) await turn()
  }
  const isEnded = session.destroyed
  session.destroy()
  return { whole, isEnded }
}

/** Node tells each field twice in turn: its name and its value. */
export function joinRaw(raw: readonly string[]): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (let at = 0; at < raw.length; at += 2) {
    const [name = '', value = ''] = raw.slice(at, at + 2)
    const before = headers[name]
    headers[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`
  }
  return headers
}
