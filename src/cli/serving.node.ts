import { type Logger, openTraces, parseFlags, parseSecurityFlags, readSecurity, startServer } from '../serve/index.ts'
import type { Call } from './verb.ts'

/**
 * Serves what the flags of a model server say until the signal aborts, then lets requests in flight finish.
 * @throws USAGE; as `startServer`
 */
export async function serveUntilAborted(call: Call, parameters: readonly string[]): Promise<void> {
  const { cwd, env, signal } = call
  const security = await readSecurity(parseSecurityFlags(parameters, cwd), env)
  const options = { ...parseFlags(parameters, cwd), ...security }
  const logger = toLogger(call)
  await using traces = openTraces(env, logger)
  const server = await startServer({ ...options, ...(traces && { traces }), logger }, signal)
  const [url, grpcUrl] = [server.url, server.grpc?.url]
  const told = { schema: 'regatta/serve/v1', url, grpcUrl }
  call.out(call.json ? `${JSON.stringify(told)}\n` : `${url}\n${grpcUrl} (gRPC)\n`)
  await server.closed
}

/** What goes wrong while others serve is told on stderr. */
function toLogger({ err }: Call): Logger {
  const write = (about: unknown, text?: string): void =>
    err(text === undefined ? `${String(about)}\n` : `${text} ${JSON.stringify(about)}\n`)
  return { info: () => {}, warn: write, error: write }
}
