import type { AddressInfo, Server, Socket } from 'node:net'
import { RegattaError, toErrorText, toSystemCode } from './errors.ts'

/** Where a server listens. */
export interface ListenAddress {
  /** @default '127.0.0.1' */
  readonly host?: string
  /** 0 lets the system choose. */
  readonly port: number
}

/** A listening server. Disposal stops it without waiting for requests in flight. */
export interface RunningServer extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly url: string
  /** Stops accepting, lets requests in flight finish for up to `drainMs`, then closes every connection. */
  drain(drainMs: number): Promise<void>
}

/** Starts listening and says where. @throws PORT_IN_USE, LISTEN */
export async function listen(
  server: Server,
  { host = '127.0.0.1', port }: ListenAddress,
  scheme: 'http' | 'https' = 'http',
): Promise<Pick<RunningServer, 'host' | 'port' | 'url'>> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => {
      reject(
        toSystemCode(error) === 'EADDRINUSE'
          ? new RegattaError('PORT_IN_USE', `Cannot listen on port ${port}: another program uses it`, {
              where: `${host}:${port}`,
              fix: 'Stop that program, or choose another port (0 takes a free one)',
              cause: error,
            })
          : new RegattaError('LISTEN', `Cannot listen on ${host}:${port}: ${toErrorText(error)}`, { cause: error }),
      )
    })
    server.listen(port, host, resolve)
  })
  const bound = (server.address() as AddressInfo).port
  return { host, port: bound, url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${bound}` }
}

/**
 * Watches a server's connections; the result breaks those that are open. Unlike Node's own `closeAllConnections`, it
 * knows the ones that still shake hands.
 */
export function watchConnections(server: Server): () => void {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return () => {
    for (const socket of sockets) socket.destroy()
  }
}
