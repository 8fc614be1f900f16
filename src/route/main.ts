import { hostname } from 'node:os'
import { isMainThread } from 'node:worker_threads'
import { RegattaError, toErrorText, UsageError } from '../core/errors.ts'
import { parseFlags, type Secrets } from './flags.ts'
import { runTapThread } from './records/tap-reader.node.ts'
import { readTlsFiles } from './tls-files.node.ts'

/*
 * The gateway's process, and the entry of its thread that reads taps, which loads no more than it needs. Secrets come in
 * the environment, since command lines are public on a machine. A supervisor, if there is one, is told over the IPC
 * channel where the gateway listens.
 */

/** Takes the secrets out of the environment: whatever prints that later does not print them. */
function takeSecrets(): Secrets {
  const { REGATTA_TOKEN: token, REGATTA_PREDICT_TOKENS: predictTokens } = process.env
  delete process.env['REGATTA_TOKEN']
  delete process.env['REGATTA_PREDICT_TOKENS']
  return { token, predictTokens }
}

function tell(message: object): Promise<void> {
  return new Promise(resolve => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, undefined, undefined, () => resolve())
  })
}

async function main(): Promise<number> {
  const [{ pino }, { startGateway }] = await Promise.all([import('pino'), import('./index.ts')])
  const logger = pino({ base: { process: 'gateway' } })
  const stop = new AbortController()
  const onSignal = (): void => stop.abort()
  process.once('SIGTERM', onSignal)
  process.once('SIGINT', onSignal)
  // A supervisor that died is replaced by another, which decides about this process: until then it goes on.
  process.on('disconnect', () => {})
  try {
    const { tlsFiles, ...flags } = parseFlags(process.argv.slice(2), takeSecrets())
    const tls = tlsFiles === undefined ? undefined : await readTlsFiles(tlsFiles)
    const name = `${hostname()}/${process.pid}`
    const gateway = await startGateway({ ...flags, tls, name, logger }, stop.signal)
    logger.info({ url: gateway.url, grpcPort: gateway.grpcPort }, 'Listening')
    await tell({ kind: 'listening', port: gateway.port, grpcPort: gateway.grpcPort })
    await tell({ kind: 'ready' })
    await gateway.closed
    logger.info({}, 'Stopped')
    return 0
  } catch (error) {
    const code = error instanceof RegattaError ? error.code : 'GATEWAY'
    const fix = error instanceof RegattaError ? error.fix : undefined
    logger.error({ code, fix }, toErrorText(error))
    await tell({ kind: 'failed', code, reason: toErrorText(error) })
    return error instanceof UsageError ? 2 : 1
  }
}

if (isMainThread) {
  process.exitCode = await main()
  if (process.connected) process.disconnect()
} else {
  runTapThread()
}
