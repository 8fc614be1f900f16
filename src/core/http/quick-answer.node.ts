import type { Socket } from 'node:net'
import { drained } from '../drained.node.ts'
import { loadHttp } from '../late.node.ts'
import { writeJoined } from '../write-joined.node.ts'
import { toFieldLine } from './fields.ts'
import type { HttpResponse } from './http.ts'
import { isBare } from './world.ts'

const { STATUS_CODES } = loadHttp()

/**
 * Writes an answer whose body is whole. `end` is the last lines of its head. Returns whether the client takes more.
 * @throws TypeError where HTTP cannot carry a header; nothing is written then
 */
export function writeWhole(socket: Socket, response: HttpResponse, body: Uint8Array, end: string): boolean {
  const length = isBare(response.status) ? '' : `content-length: ${body.byteLength}\r\n`
  const head = toHead(response) + length + end
  return writeJoined(socket, head, body)
}

/** Writes the head of an answer that comes in pieces. Returns whether they are to be marked: no length was told. @throws TypeError */
export function writeHead(socket: Socket, response: HttpResponse, end: string): boolean {
  const isChunked = response.headers['content-length'] === undefined && !isBare(response.status)
  socket.write(toHead(response) + (isChunked ? 'transfer-encoding: chunked\r\n' : '') + end, 'latin1')
  return isChunked
}

/** Writes the pieces of an answer, with back-pressure. */
export async function writeChunks(
  socket: Socket,
  chunks: AsyncIterable<Uint8Array>,
  isChunked: boolean,
): Promise<void> {
  for await (const chunk of chunks) {
    if (socket.destroyed) return
    // The mark of an empty one would end the answer.
    if (chunk.byteLength === 0) continue
    socket.cork()
    if (isChunked) socket.write(`${chunk.byteLength.toString(16)}\r\n`)
    socket.write(chunk)
    if (isChunked) socket.write('\r\n')
    socket.uncork()
    if (socket.writableNeedDrain) await drained(socket)
  }
  if (isChunked) socket.write('0\r\n\r\n')
}

/** The first lines of a head; those about the connection are the server's own. */
function toHead({ status, headers }: HttpResponse): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`
  for (const name in headers) {
    if (name === 'connection') continue
    const line = toFieldLine(name, headers[name] ?? '')
    if (line === undefined) throw new TypeError(`Cannot send the header ${JSON.stringify(name)}`)
    head += line
  }
  return head
}
