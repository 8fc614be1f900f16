import { resolve } from 'node:path'
import { startServer, toSingleModel } from '../serve/index.ts'
import type { Call } from './verb.ts'

/** Serves a model folder until the signal aborts, then lets requests in flight finish. */
export async function serveUntilAborted(
  call: Call,
  flags: {
    readonly modelName: string
    readonly modelBasePath: string
    readonly host: string
    readonly httpPort: number
  },
): Promise<void> {
  const server = await startServer(
    {
      models: [toSingleModel(flags.modelName, resolve(call.cwd, flags.modelBasePath))],
      host: flags.host,
      httpPort: flags.httpPort,
    },
    call.signal,
  )
  call.out(call.json ? `${JSON.stringify({ schema: 'regatta/serve/v1', url: server.url })}\n` : `${server.url}\n`)
  await server.closed
}
