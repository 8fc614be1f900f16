import { hostname } from 'node:os'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { RegattaError, toErrorText, UsageError } from '../core/errors.ts'
import { type GatewayOptions, startGateway } from './index.ts'

/*
 * The gateway's process. The token for control comes in REGATTA_TOKEN, since command lines are public on a machine.
 * A supervisor, if there is one, is told over the IPC channel where the gateway listens.
 */

const USAGE = '--host HOST --http-port PORT --control-url URL --routes-file FILE --spool FILE'

function parseOptions(): Omit<GatewayOptions, 'logger'> {
  const values = parseFlags()
  const port = values['http-port'] ?? '8501'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw toUsage(`--http-port ${port}: expected 0–65535`)
  return {
    host: values.host ?? '127.0.0.1',
    port: Number(port),
    controlUrl: parseUrl(values['control-url']),
    routesFile: parseText('--routes-file', values['routes-file']),
    spoolFile: parseText('--spool', values.spool),
    token: takeToken(),
    name: `${hostname()}/${process.pid}`,
  }
}

function parseFlags() {
  const text = { type: 'string' } as const
  const options = { host: text, 'http-port': text, 'control-url': text, 'routes-file': text, spool: text }
  try {
    return parseArgs({ options }).values
  } catch (error) {
    throw toUsage(`these flags: ${toErrorText(error)}`)
  }
}

function parseUrl(text: string | undefined): string {
  if (text?.startsWith('http://') && URL.canParse(text)) return text
  throw toUsage(`--control-url ${text ?? ''}: expected an http:// URL`)
}

function parseText(flag: string, text: string | undefined): string {
  if (text !== undefined && text !== '') return text
  throw toUsage(`${flag}: expected the path of a file`)
}

/** Takes the token out of the environment: whatever prints that later does not print it. */
function takeToken(): string {
  const token = process.env['REGATTA_TOKEN'] ?? ''
  delete process.env['REGATTA_TOKEN']
  if (/^[\w.~+/=-]+$/.test(token)) return token
  throw toUsage('REGATTA_TOKEN: expected the token for control in the environment')
}

function toUsage(what: string): UsageError {
  return new UsageError('GATEWAY_FLAGS', `Cannot use ${what}`, { fix: USAGE })
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
    const gateway = await startGateway({ ...parseOptions(), logger }, stop.signal)
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
