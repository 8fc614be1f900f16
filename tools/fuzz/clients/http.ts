import { connect, type Socket } from 'node:net'
import type { HttpCase, WireCase } from '../case.ts'
import { AnswerReader, type HttpAnswer } from './answer-reader.ts'

/** A case that was not answered, or not in a form that can be read. */
export class Unanswered extends Error {}

/** Time for any answer: longer is a hang. */
export const PATIENCE_MS = 30_000

/** The bytes of a request; one in chunks is cut at every 20 bytes. */
export function toRequestBytes({ method, target, headers, body }: Omit<HttpCase, 'door' | 'family'>): Buffer {
  const isChunked = headers.some(([name]) => name === 'transfer-encoding')
  const own = headers.some(([name]) => name === 'host') ? [] : ['host: x']
  const length = isChunked ? [] : [`content-length: ${body.length}`]
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...own,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...length,
  ]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), isChunked ? toChunks(body) : body])
}

function toChunks(body: Buffer): Buffer {
  const pieces = Array.from({ length: Math.ceil(body.length / 20) }, (_, at) => body.subarray(20 * at, 20 * at + 20))
  const chunks = pieces.flatMap(piece => [Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')])
  return Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')])
}

/** After this part of the time for which the server keeps an idle connection it is not used: it might be closing just then. */
const KEPT_SHARE = 0.5

/** A connection that is used for request after request, and opened anew where the server closes it, or soon will. */
export class HttpClient implements Disposable {
  readonly #port: number
  #socket: Socket | undefined
  #reader = new AnswerReader()
  #keptUntil = 0

  constructor(port: number) {
    this.#port = port
  }

  /** Sends one request and reads its answer. @throws Unanswered */
  async ask(request: Omit<HttpCase, 'door' | 'family'>): Promise<HttpAnswer> {
    if (performance.now() > this.#keptUntil) this.#close()
    const socket = this.#socket ?? this.#open()
    const isHead = request.method === 'HEAD'
    const answer = await new Promise<HttpAnswer>((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer)
        socket.off('data', onData).off('close', onClose)
        act()
      }
      const onData = (chunk: Buffer): void => {
        try {
          this.#reader.push(chunk)
          const whole = this.#reader.take(isHead)
          if (whole !== undefined) settle(() => resolve(whole))
        } catch (error) {
          settle(() => reject(error))
        }
      }
      const onClose = (): void => settle(() => reject(new Unanswered('the connection was closed without an answer')))
      const onTime = (): void => settle(() => reject(new Unanswered(`no answer within ${PATIENCE_MS} ms`)))
      const timer = setTimeout(onTime, PATIENCE_MS)
      socket.on('data', onData).on('close', onClose).write(toRequestBytes(request))
    }).catch(error => {
      this.#close()
      throw error
    })
    this.#keptUntil = performance.now() + KEPT_SHARE * toKeptMs(answer)
    if (answer.headers.get('connection') === 'close') this.#close()
    else if (this.#reader.isPartial) {
      this.#close()
      throw new Unanswered('more bytes came than one answer has')
    }
    return answer
  }

  #open(): Socket {
    this.#reader = new AnswerReader()
    const socket = connect(this.#port, '127.0.0.1').on('error', () => {})
    socket.setNoDelay(true)
    // Closed between two requests, because its time was over: the next one opens another.
    socket.once('close', () => {
      if (this.#socket === socket) this.#socket = undefined
    })
    this.#socket = socket
    return socket
  }

  #close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  [Symbol.dispose](): void {
    this.#close()
  }
}

/** How long the server keeps a connection that is idle; one that does not tell keeps it. */
function toKeptMs({ headers }: HttpAnswer): number {
  const [, seconds = Number.POSITIVE_INFINITY] = /\btimeout=(\d+)/.exec(headers.get('keep-alive') ?? '') ?? []
  return 1000 * Number(seconds)
}

/** What became of bytes on a connection of their own. */
export interface WireEnd {
  readonly answers: readonly HttpAnswer[]
  /** Whether the server closed the connection by itself. */
  readonly isClosed: boolean
}

/** Sends bytes and closes that half; reads until the server closes the other. @throws Unanswered */
export async function sendWire(port: number, { bytes }: WireCase): Promise<WireEnd> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {})
  const reader = new AnswerReader()
  const answers: HttpAnswer[] = []
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Unanswered(`still open after ${PATIENCE_MS} ms`)), PATIENCE_MS)
      const settle = (act: () => void): void => {
        clearTimeout(timer)
        act()
      }
      socket.on('data', chunk => {
        try {
          reader.push(chunk)
          for (let next = reader.take(false); next !== undefined; next = reader.take(false)) answers.push(next)
        } catch (error) {
          settle(() => reject(error))
        }
      })
      for (const end of ['end', 'close']) socket.once(end, () => settle(resolve))
      socket.end(bytes)
    })
    return { answers, isClosed: true }
  } finally {
    socket.destroy()
  }
}
