import { readFile } from 'node:fs/promises'
import { RegattaError, toErrorText } from '../core/errors.ts'
import type { TlsOptions } from '../core/tls.node.ts'
import type { TlsFiles } from './flags.ts'

/** Reads the certificates of a server. @throws TLS_FILE */
export async function readTlsFiles({ cert, key, clientCa }: TlsFiles): Promise<TlsOptions> {
  const own = { cert: await read(cert), key: await read(key) }
  return clientCa === undefined ? own : { ...own, ca: await read(clientCa), requireClientCert: true }
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new RegattaError('TLS_FILE', `Cannot read the certificate file "${path}": ${toErrorText(cause)}`, {
      fix: 'Give a PEM file that the gateway may read',
      cause,
    })
  }
}
