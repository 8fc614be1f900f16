import { type ClientHttp2Session, connect } from 'node:http2'
import { Duplex } from 'node:stream'
import { H2Client } from '../client.ts'
import { type H2Code, H2Error } from '../errors.ts'
import { FRAME } from '../frames.ts'
import { encodeHpack } from '../hpack-encoder.ts'
import type { H2Part, H2Stream } from '../stream.ts'
import { joinRaw, turn } from './requests.ts'
import { REQUEST, readFrames } from './wire.ts'

/** What a client made of the frames that it was sent. */
export interface SeenAnswers {
  /** Each that became whole as text, with the number of its stream, sorted. */
  readonly whole: readonly string[]
  /** The error that ended the connection. */
  readonly error: H2Code | undefined
  /** Streams that it reset, or that were reset. */
  readonly resets: readonly number[]
}

type Fields = Readonly<Record<string, string>>

interface Answer {
  head: Fields
  readonly body: Buffer[]
  trailers: Fields
}

const toBlank = (): Answer => ({ head: {}, body: [], trailers: {} })

/** An answer as text. */
function toText(id: number, { head, body, trailers }: Answer): string {
  const toLines = (fields: Fields): string[] =>
    Object.entries(fields).map(([name, value]) => `${name}: ${value.trim()}`)
  return [`stream ${id}`, ...toLines(head), '', Buffer.concat(body).toString('latin1'), ...toLines(trailers)].join('\n')
}

const REQUEST_PARTS: readonly H2Part[] = [{ kind: 'block', bytes: encodeHpack(REQUEST) }]

/** A client of our own that asks so many times, on the streams 1, 3, 5, …. */
export function openOwn(requests: number, parts = REQUEST_PARTS) {
  const whole: string[] = []
  const resets: number[] = []
  const client = new H2Client({ maxHeaderListBytes: 64 * 1024, onOutput() {}, onSettings() {}, onGoAway() {} })
  const ask = (): void => {
    const answer = toBlank()
    const stream: H2Stream = client.request({
      onHead(fields) {
        answer.head = fields
      },
      onData(bytes) {
        answer.body.push(bytes)
        stream.giveBack(bytes.length)
      },
      onTrailers(fields) {
        answer.trailers = fields
      },
      onEnd: () => whole.push(toText(stream.id, answer)),
      onDrain() {},
      onClose: reset => void (reset && resets.push(stream.id)),
    })
    stream.send(parts, true)
  }
  client.start()
  for (let at = 0; at < requests; at += 1) ask()
  /** What it sends, from the preface on. */
  const sent = Buffer.concat(client.connection.outbox.take())
  return { client, sent, whole, resets }
}

/** Gives chunks to a connection of our own. */
export function seeOwnAnswers(requests: number, chunks: readonly Buffer[]): SeenAnswers {
  const { client, whole, resets } = openOwn(requests)
  let error: SeenAnswers['error']
  try {
    for (const chunk of chunks) client.connection.receive(chunk, 0)
  } catch (thrown) {
    if (!(thrown instanceof H2Error)) throw thrown
    error = thrown.code
  }
  const sent = readFrames(Buffer.concat(client.connection.outbox.take()))
  resets.push(...sent.filter(({ type }) => type === FRAME.reset).map(({ stream }) => stream))
  return { whole: whole.toSorted(), error, resets }
}

/** Gives frames to a client of `node:http2`, one by one: what it says of one may come some turns of the event loop later. */
export async function seeNodesAnswers(
  requests: number,
  frames: readonly Buffer[],
  turns = TURNS,
): Promise<Pick<SeenAnswers, 'whole'> & { readonly isEnded: boolean }> {
  const whole: string[] = []
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  const options = { settings: { enablePush: false }, strictFieldWhitespaceValidation: false }
  const session = connect('http://x', { createConnection: () => socket, ...options })
  session.on('error', () => {})
  for (let at = 0; at < requests; at += 1) ask(session, 2 * at + 1, whole)
  await turn()
  for (const frame of frames) {
    if (session.destroyed) break
    socket.push(frame)
    for (let left = turns; left > 0; left -= 1) await turn()
  }
  const isEnded = session.destroyed
  session.destroy()
  return { whole: whole.toSorted(), isEnded }
}

/** Turns after which all that a frame brings has been told, mostly. */
const TURNS = 6

function ask(session: ClientHttp2Session, id: number, whole: string[]): void {
  const stream = session.request(REQUEST, { endStream: true })
  const answer = toBlank()
  stream.on('error', () => {})
  stream.on('response', (_fields, _flags, raw) => {
    answer.head = joinRaw(raw)
  })
  stream.on('trailers', (_fields, _flags, raw) => {
    answer.trailers = joinRaw(raw)
  })
  stream.on('data', (chunk: Buffer) => answer.body.push(chunk))
  stream.on('end', () => {
    if (!stream.aborted && stream.rstCode === 0) whole.push(toText(id, answer))
  })
}
