import { hostname } from 'node:os'
import { pino } from 'pino'
import { RegattaError, toErrorText, UsageError } from '../core/errors.ts'
import { parseFlags } from './flags.ts'
import { startGateway } from './index.ts'

/*
 * The gateway's process. The token for control comes in REGATTA_TOKEN, since command lines are public on a machine.
 * A supervisor, if there is one, is told over the IPC channel where the gateway listens.
 */

/** Takes the token out of the environment: whatever prints that later does not print it. */
function takeToken(): string | undefined {
  const token = process.env['REGATTA_TOKEN']
  delete process.env['REGATTA_TOKEN']
  return token
}

function tell(message: object): Promise<void> {
  return new Promise(resolve => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, undefined, undefined, () => resolve())
  })
}

async function main(): Promise<number> {
  const logger = pino({ base: { process: 'gateway' } })
  const stop = new AbortController()
  const onSignal = (): void => stop.abort()
  process.once('SIGTERM', onSignal)
  process.once('SIGINT', onSignal)
  // A supervisor that died is replaced by another, which decides about this process: until then it goes on.
  process.on('disconnect', () => {})
  try {
    const flags = parseFlags(process.argv.slice(2), takeToken())
    const name = `${hostname()}/${process.pid}`
    const gateway = await startGateway({ ...flags, name, logger }, stop.signal)
    logger.info({ url: gateway.url }, 'Listening')
    await tell({ kind: 'listening', port: gateway.port })
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

process.exitCode = await main()
if (process.connected) process.disconnect()
