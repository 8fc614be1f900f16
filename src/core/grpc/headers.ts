import { GRPC_CODES, type GrpcMetadata, type GrpcStatus } from './grpc.ts'

const UNITS_MS = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 } as const

/** Timeouts have at most eight digits. */
const MAX_DIGITS = 99_999_999

/** The milliseconds of a `grpc-timeout` header; undefined where it is not one. */
export function parseGrpcTimeout(text: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text)
  if (match === null) return undefined
  return Number(match[1]) * UNITS_MS[match[2] as keyof typeof UNITS_MS]
}

/** The `grpc-timeout` header of a number of milliseconds, rounded up. */
export function toGrpcTimeout(ms: number): string {
  const whole = Math.max(1, Math.ceil(ms))
  return whole <= MAX_DIGITS ? `${whole}m` : `${Math.min(MAX_DIGITS, Math.ceil(whole / 1000))}S`
}

/**
 * Percent-encodes a text for `grpc-message`: printable ASCII but "%" stays (PROTOCOL-HTTP2.md, "Percent-Encoded"), and
 * blanks, but where HTTP/2 allows none: at its ends.
 */
export function encodeGrpcMessage(text: string): string {
  if (/^(?! )[\x20-\x24\x26-\x7e]*(?<! )$/.test(text)) return text
  return text.toWellFormed().replaceAll(/[^\x20-\x24\x26-\x7e]|^ | $/gu, encodeURIComponent)
}

/** The text of a `grpc-message` header; what is no encoding of UTF-8 stays as it is. */
export function decodeGrpcMessage(text: string): string {
  return text.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, encoded => {
    try {
      return decodeURIComponent(encoded)
    } catch {
      return encoded
    }
  })
}

const NAMES = new Map(Object.entries(GRPC_CODES).map(([name, code]) => [String(code), name as GrpcStatus]))

/** The status of a `grpc-status` header; UNKNOWN where gRPC knows no such code. */
export function toGrpcStatus(text: string): GrpcStatus {
  return NAMES.get(text) ?? 'UNKNOWN'
}

/** Names that belong to the transport: never metadata of a call. */
const TRANSPORT_NAMES: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'date',
  'grpc-accept-encoding',
  'grpc-encoding',
  'grpc-message',
  'grpc-status',
  'grpc-timeout',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** The metadata among HTTP/2 headers. */
export function toGrpcMetadata(headers: Readonly<Record<string, string>>): GrpcMetadata {
  const metadata: Record<string, string | undefined> = {}
  for (const name in headers) if (!name.startsWith(':') && !TRANSPORT_NAMES.has(name)) metadata[name] = headers[name]
  return metadata
}

/** What of some metadata is sent: no name of the transport. @throws TypeError where HTTP cannot carry a name or value */
export function toGrpcHeaders(metadata: GrpcMetadata): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name in metadata) {
    const value = metadata[name]
    if (value === undefined || name.startsWith(':') || TRANSPORT_NAMES.has(name)) continue
    if (!/^[0-9a-z_.-]+$/.test(name)) throw new TypeError(`Cannot send metadata "${name}": expected 0-9, a-z and _ - .`)
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw new TypeError(`Cannot send the value of metadata "${name}": expected printable characters of Latin-1`)
    headers[name] = value
  }
  return headers
}
