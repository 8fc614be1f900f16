import { connect, createServer, type Server, type Socket } from 'node:net'
import { listen, watchConnections } from '../core/listen.node.ts'

/** A control that waits: whatever connects to it is led to the one that leads. */
export interface Standby extends AsyncDisposable {
  readonly port: number
  /** From now on connections are led there; undefined: nobody leads, and they are closed. */
  lead(leader: { readonly host: string; readonly port: number } | undefined): void
}

/** Time that a leader has to take a connection, ms. */
const CONNECT_MS = 3000

/** Listens in the place of a control. Disposal closes every connection and frees the port. @throws PORT_IN_USE */
export async function openStandby(at: { readonly host: string; readonly port: number }): Promise<Standby> {
  let leader: { readonly host: string; readonly port: number } | undefined
  const server = createServer(socket => {
    if (leader === undefined) socket.destroy()
    else join(socket, connect({ ...leader, timeout: CONNECT_MS }))
  })
  const closeAll = watchConnections(server)
  const { port } = await listen(server, at)
  return {
    port,
    lead(next) {
      const isOther = next?.host !== leader?.host || next?.port !== leader?.port
      leader = next
      // Whoever is connected to one that leads no more shall connect again.
      if (isOther) closeAll()
    },
    [Symbol.asyncDispose]: () => close(server, closeAll),
  }
}

function join(client: Socket, leader: Socket): void {
  leader.once('connect', () => leader.setTimeout(0))
  leader.once('timeout', () => leader.destroy())
  for (const [one, other] of [
    [client, leader],
    [leader, client],
  ] as const) {
    one.on('error', () => one.destroy())
    one.once('close', () => other.destroy())
    one.pipe(other)
  }
}

async function close(server: Server, closeAll: () => void): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  closeAll()
  await closed
}
