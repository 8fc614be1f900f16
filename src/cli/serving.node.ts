import { resolve } from 'node:path'
import { UsageError } from '../core/errors.ts'
import { startServer } from '../serve/index.ts'
import type { Call } from './verb.ts'

/** Serves a model folder until the signal aborts, then lets requests in flight finish. */
export async function serveUntilAborted(
  call: Call,
  flags: {
    readonly modelName: string
    readonly modelBasePath: string
    readonly host: string
    readonly httpPort: string
  },
): Promise<void> {
  const server = await startServer(
    {
      modelName: flags.modelName,
      modelBasePath: resolve(call.cwd, flags.modelBasePath),
      host: flags.host,
      httpPort: parsePort(flags.httpPort),
    },
    call.signal,
  )
  call.out(call.json ? `${JSON.stringify({ schema: 'regatta/serve/v1', url: server.url })}\n` : `${server.url}\n`)
  await server.closed
}

/** Reads a port, 0 to 65535. @throws PORT */
export function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new UsageError('PORT', `Cannot read "${text}" as a port: expected 0 to 65535`)
  }
  return Number(text)
}
