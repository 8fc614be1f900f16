import type { Socket } from 'node:net'

/** A longer body is not copied behind its head, but written beside it. */
const COPY_BYTES = 16 * 1024

/** Writes a head, in characters of one byte, and the body behind it, at once. Returns whether the socket takes more. */
export function writeJoined(socket: Socket, head: string, body: Uint8Array): boolean {
  if (body.byteLength > COPY_BYTES) {
    socket.cork()
    socket.write(head, 'latin1')
    const isFlowing = socket.write(body)
    socket.uncork()
    return isFlowing
  }
  const whole = Buffer.allocUnsafe(head.length + body.byteLength)
  whole.write(head, 'latin1')
  whole.set(body, head.length)
  return socket.write(whole)
}
