import { parseArgs } from 'node:util'
import { toErrorText, UsageError } from '../core/errors.ts'

/** What the command line and the environment say about a gateway. */
export interface Flags {
  readonly host: string
  readonly port: number
  readonly controlUrl: string
  readonly routesFile: string
  readonly spoolFile: string
  readonly token: string
}

const USAGE = '--host HOST --http-port PORT --control-url URL --routes-file FILE --spool FILE'
const TEXT = { type: 'string' } as const
const OPTIONS = { host: TEXT, 'http-port': TEXT, 'control-url': TEXT, 'routes-file': TEXT, spool: TEXT }

/** Reads the flags; the token comes from the environment, since command lines are public. @throws GATEWAY_FLAGS */
export function parseFlags(args: readonly string[], token: string | undefined): Flags {
  const values = parseValues(args)
  const port = values['http-port'] ?? '8501'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw toUsage(`--http-port ${port}: expected 0–65535`)
  const controlUrl = parseText('--control-url', values['control-url'])
  if (!controlUrl.startsWith('http://') || !URL.canParse(controlUrl))
    throw toUsage(`--control-url ${controlUrl}: expected an http:// URL`)
  if (token === undefined || !/^[\w.~+/=-]+$/.test(token))
    throw toUsage('REGATTA_TOKEN: expected the token for control in the environment')
  return {
    host: values.host ?? '127.0.0.1',
    port: Number(port),
    controlUrl,
    routesFile: parseText('--routes-file', values['routes-file']),
    spoolFile: parseText('--spool', values.spool),
    token,
  }
}

function parseValues(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values
  } catch (error) {
    throw toUsage(`these flags: ${toErrorText(error)}`)
  }
}

function parseText(flag: string, text: string | undefined): string {
  if (text === undefined || text === '') throw toUsage(`no ${flag}: expected a value`)
  return text
}

function toUsage(what: string): UsageError {
  return new UsageError('GATEWAY_FLAGS', `Cannot use ${what}`, { fix: USAGE })
}
