import { createServer, type Socket } from 'node:net'

/*
 * A model server without a model: answers every request with one fixed prediction of 120 bytes, as cheaply as Node can,
 * so that what is measured is what stands before it. Bodies must come whole in one read, as small ones on loopback do.
 * It plays control too: takes any batch of records, and has no news of the routes.
 */
const BODY = `{"predictions":[[${'1.234567,'.repeat(11)}1.5]]}`
const ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
)

const NO_NEWS = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n'

/** Answers the whole requests in what has come, and returns what is left of the last. */
function take(socket: Socket, text: string): string {
  let rest = text
  for (;;) {
    const end = rest.indexOf('\r\n\r\n')
    if (end === -1) return rest
    const length = Number(/content-length: (\d+)/i.exec(rest.slice(0, end))?.[1] ?? 0)
    if (rest.length < end + 4 + length) return rest
    const isOfRoutes = rest.startsWith('GET /api/v1/routes')
    rest = rest.slice(end + 4 + length)
    socket.write(isOfRoutes ? NO_NEWS : ANSWER)
  }
}

const server = createServer({ noDelay: true }, socket => {
  let rest = ''
  socket.setEncoding('latin1')
  socket.on('data', chunk => {
    rest = take(socket, rest + String(chunk))
  })
  socket.on('error', () => socket.destroy())
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.send?.(address.port)
})
process.once('disconnect', () => process.exit())
