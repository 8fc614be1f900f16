import type { Server, Socket } from 'node:net'
import { QuickConnection, type QuickWorld } from './quick-connection.node.ts'
import type { HttpWorld } from './world.ts'

/** Connections whose requests go the quick way. */
export interface Quick {
  /** Closes those that are idle, and each other with its next answer. */
  drain(): void
}

/**
 * Puts the quick way before a server of `node:http` or `node:https`, which then gets only what is not of the plain form.
 * It ends with the server.
 */
export function openQuick(server: Server, event: 'connection' | 'secureConnection', http: HttpWorld): Quick {
  const listeners = server.listeners(event)
  const connections = new Set<QuickConnection>()
  const toNode = (socket: Socket): void => {
    for (const listener of listeners) listener.call(server, socket)
  }
  const world = { http, connections, toNode, second: 0, ends: toEnds(http) }
  server.removeAllListeners(event)
  server.on(event, (socket: Socket) => new QuickConnection(socket, world))
  const timer = setInterval(() => {
    world.second += 1
    world.ends = toEnds(http)
    for (const connection of connections) connection.look()
  }, 1000).unref()
  server.once('close', () => clearInterval(timer))
  return {
    drain() {
      for (const connection of connections) connection.drain()
    },
  }
}

function toEnds({ keepAliveTimeoutMs }: HttpWorld): QuickWorld['ends'] {
  const date = `date: ${new Date().toUTCString()}\r\n`
  const seconds = Math.floor(keepAliveTimeoutMs / 1000)
  return {
    keep: `${date}connection: keep-alive\r\nkeep-alive: timeout=${seconds}\r\n\r\n`,
    close: `${date}connection: close\r\n\r\n`,
  }
}
