import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'

/** A registry that lets nobody in. */
export async function openClosedRegistry(): Promise<AsyncDisposable & { readonly name: string }> {
  const server = createServer((_, response) => {
    const errors = [{ code: 'UNAUTHORIZED', message: 'authentication required' }]
    response.writeHead(401, { 'content-type': 'application/json', 'www-authenticate': 'Basic realm="closed"' })
    response.end(JSON.stringify({ errors }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const name = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    name,
    [Symbol.asyncDispose]: () => close(server),
  }
}

/** The API of a cluster in which nothing is, of a version. */
export async function openApi(minor: string): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    const isVersion = request.url === '/version'
    response.writeHead(isVersion ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(isVersion ? { major: '1', minor } : { kind: 'Status', status: 'Failure', code: 404 }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => close(server),
  }
}

/** A proxy that leads anywhere by CONNECT, and counts. */
export async function openProxy(): Promise<AsyncDisposable & { readonly url: string; readonly count: () => number }> {
  let count = 0
  const server = createServer()
  server.on('connect', ({ url = '' }, client) => {
    count += 1
    const { hostname, port } = new URL(`http://${url}`)
    const there = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      there.pipe(client).pipe(there)
    })
    client.on('error', () => there.destroy())
    there.on('error', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: () => count,
    [Symbol.asyncDispose]: () => close(server),
  }
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  server.close()
}
