import type { SecureContextOptions, TlsOptions as ServerOptions } from 'node:tls'
import { RegattaError, toErrorText, UsageError } from './errors.ts'
import { loadTls } from './late.node.ts'

/** The certificates of a server that speaks TLS, each a PEM text. */
export interface TlsOptions {
  /** The server's certificate, then those between it and the root. */
  readonly cert: string | Buffer
  readonly key: string | Buffer
  /** Who signs the certificates of clients. */
  readonly ca?: string | Buffer
  /** A client without a certificate signed by `ca` is turned away (mutual TLS). @default false */
  readonly requireClientCert?: boolean
}

/**
 * Checks certificates and words them for Node's servers; a handshake ends within `handshakeTimeoutMs`.
 * @throws TLS, TLS_CLIENT_CA
 */
export function toServerTls(tls: TlsOptions, handshakeTimeoutMs: number): ServerOptions {
  const requestCert = tls.requireClientCert ?? false
  if (requestCert && tls.ca === undefined)
    throw new UsageError('TLS_CLIENT_CA', 'Cannot require certificates of clients without a certificate authority', {
      fix: 'Give the PEM file of the authority that signs the clients’ certificates',
    })
  const context = checkContext({ cert: tls.cert, key: tls.key, ...(tls.ca === undefined ? {} : { ca: tls.ca }) })
  return { ...context, requestCert, rejectUnauthorized: requestCert, handshakeTimeout: handshakeTimeoutMs }
}

function checkContext(options: SecureContextOptions): SecureContextOptions {
  try {
    loadTls().createSecureContext(options)
    return options
  } catch (cause) {
    throw new RegattaError('TLS', `Cannot use the certificate and key: ${toErrorText(cause)}`, {
      fix: 'Give PEM texts of a certificate and of the private key that belongs to it',
      cause,
    })
  }
}
