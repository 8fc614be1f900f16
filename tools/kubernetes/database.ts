import { networkInterfaces } from 'node:os'
import { openStandby } from '../../src/control/standby.node.ts'
import { startPostgres } from '../postgres/server.ts'
import type { Harbour } from './namespace.ts'

/** A PostgreSQL that pods reach, with its address in the Secret `events`. */
export type Events = AsyncDisposable

/** An address of this machine that pods reach; undefined where it has none beside loopback. */
function findAddress(): string | undefined {
  const named = process.env['REGATTA_TEST_ADDRESS']
  const own = Object.values(networkInterfaces()).flat()
  return named ?? own.find(one => one !== undefined && !one.internal && one.family === 'IPv4')?.address
}

/** Why pods cannot have a PostgreSQL of this machine; undefined where they can. */
export function findDatabaseProblem(): string | undefined {
  return findAddress() === undefined
    ? 'this machine has no address that pods reach: set REGATTA_TEST_ADDRESS'
    : undefined
}

/** Starts one beside the cluster, and makes the Secret. */
export async function openEvents({ admin, namespace }: Harbour): Promise<Events> {
  await using stack = new AsyncDisposableStack()
  const server = await startPostgres()
  if ('problem' in server) throw new Error(server.problem)
  stack.use(server)
  const url = new URL(server.toUrl())
  // It listens on loopback alone.
  const door = stack.use(await openStandby({ host: '0.0.0.0', port: 0 }))
  door.lead({ host: url.hostname, port: Number(url.port) })
  url.host = `${findAddress()}:${door.port}`
  await admin.ask('POST', `/api/v1/namespaces/${namespace}/secrets`, {
    body: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'events' },
      data: { url: Buffer.from(url.href).toString('base64') },
    },
  })
  const running = stack.move()
  return { [Symbol.asyncDispose]: () => running.disposeAsync() }
}
