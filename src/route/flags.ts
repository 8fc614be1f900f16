import { parseArgs } from 'node:util'
import { toErrorText, UsageError } from '../core/errors.ts'
import type { AccessOptions } from './access.ts'

/** The PEM files of a server that speaks TLS; with `clientCa`, clients need a certificate that it signed. */
export interface TlsFiles {
  readonly cert: string
  readonly key: string
  readonly clientCa: string | undefined
}

/** What the command line and the environment say about a gateway. */
export interface Flags {
  readonly host: string
  readonly port: number
  readonly grpcPort: number
  readonly controlUrl: string
  readonly routesFile: string
  readonly spoolFile: string
  readonly token: string
  /** Name under which a variant's replicas are found where control does not tell them; undefined: they are not. */
  readonly replicaHost: string | undefined
  /** Time in which clients are asked to close their connections before it stops, ms. */
  readonly leaveMs: number
  /** Files of certificates, for both ports. */
  readonly tlsFiles: TlsFiles | undefined
  /** Who may ask for predictions. */
  readonly access: AccessOptions
}

/** The secrets of a gateway; command lines are public, so they come in the environment. */
export interface Secrets {
  /** `REGATTA_TOKEN`: for control. */
  readonly token: string | undefined
  /** `REGATTA_PREDICT_TOKENS`: what clients have to bring, separated by spaces; absent where prediction is open. */
  readonly predictTokens: string | undefined
}

const USAGE =
  '--host HOST --http-port PORT --grpc-port PORT --control-url URL --routes-file FILE --spool FILE ' +
  '[--replica-host NAME-{variant}-{id}] [--leave-ms MS] ' +
  '[--tls-cert FILE --tls-key FILE [--tls-client-ca FILE]] [--cors-origin ORIGIN]…'
const TOKEN = /^[\w.~+/=-]+$/
const TEXT = { type: 'string' } as const
const OPTIONS = {
  host: TEXT,
  'http-port': TEXT,
  'grpc-port': TEXT,
  'control-url': TEXT,
  'routes-file': TEXT,
  spool: TEXT,
  'replica-host': TEXT,
  'leave-ms': TEXT,
  'tls-cert': TEXT,
  'tls-key': TEXT,
  'tls-client-ca': TEXT,
  'cors-origin': { type: 'string', multiple: true },
} as const

/** Reads the flags. @throws GATEWAY_FLAGS */
export function parseFlags(args: readonly string[], { token, predictTokens }: Secrets): Flags {
  const values = parseValues(args)
  const controlUrl = parseText('--control-url', values['control-url'])
  if (!controlUrl.startsWith('http://') || !URL.canParse(controlUrl))
    throw toUsage(`--control-url ${controlUrl}: expected an http:// URL`)
  if (token === undefined || !TOKEN.test(token))
    throw toUsage('REGATTA_TOKEN: expected the token for control in the environment')
  return {
    host: values.host ?? '127.0.0.1',
    port: parsePort('--http-port', values['http-port'] ?? '8501'),
    grpcPort: parsePort('--grpc-port', values['grpc-port'] ?? '8500'),
    controlUrl,
    routesFile: parseText('--routes-file', values['routes-file']),
    spoolFile: parseText('--spool', values.spool),
    token,
    replicaHost: parseReplicaHost(values['replica-host']),
    leaveMs: parseLeave(values['leave-ms'] ?? '0'),
    tlsFiles: parseTlsFiles(values['tls-cert'], values['tls-key'], values['tls-client-ca']),
    access: { tokens: parseTokens(predictTokens), origins: (values['cors-origin'] ?? []).map(parseOrigin) },
  }
}

function parseLeave(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw toUsage(`--leave-ms ${text}: expected 0–99999`)
  return Number(text)
}

function parseReplicaHost(text: string | undefined): string | undefined {
  const isPattern = text === undefined || (/^[a-z0-9.{}-]+$/i.test(text) && text.includes('{variant}'))
  if (!isPattern) throw toUsage(`--replica-host ${text}: expected a name with {variant} in it`)
  return text
}

function parsePort(flag: string, text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw toUsage(`${flag} ${text}: expected 0–65535`)
  return Number(text)
}

function parseTlsFiles(
  cert: string | undefined,
  key: string | undefined,
  clientCa: string | undefined,
): TlsFiles | undefined {
  if (cert === undefined && key === undefined && clientCa === undefined) return undefined
  return {
    cert: parseText('--tls-cert', cert),
    key: parseText('--tls-key', key),
    clientCa: clientCa === undefined ? undefined : parseText('--tls-client-ca', clientCa),
  }
}

/** A variable that is set to nothing would open what was to be closed: it is wrong. */
function parseTokens(text: string | undefined): readonly string[] {
  const tokens = text?.split(' ') ?? []
  if (!tokens.every(token => TOKEN.test(token)))
    throw toUsage('REGATTA_PREDICT_TOKENS: expected one token or more, separated by single spaces')
  return tokens
}

function parseOrigin(text: string): string {
  const isOrigin = text === '*' || (/^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text)
  if (!isOrigin) throw toUsage(`--cors-origin ${text}: expected an origin such as https://app.example, or *`)
  return text
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
