import { readFile } from 'node:fs/promises'
import { toErrorText, UsageError } from '../core/errors.ts'
import type { TlsOptions } from '../core/tls.node.ts'
import type { ServerOptions } from './options.ts'

/** Files of secrets and certificates, by the flags that name them. */
export interface SecurityFiles {
  /** PEM: the certificate of the server and those between it and the root; its key; who signs those of clients. */
  readonly tlsCert?: string | undefined
  readonly tlsKey?: string | undefined
  readonly tlsClientCa?: string | undefined
  readonly tokenFile?: string | undefined
}

/** Where the token stands, unless a file is named. */
export const TOKEN_VARIABLE = 'REGATTA_SERVE_TOKEN'

/** Reads what protects a server. @throws USAGE */
export async function readSecurity(
  files: SecurityFiles,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Pick<ServerOptions, 'tls' | 'token'>> {
  const tls = await readTls(files)
  const token = await readToken(files.tokenFile, env)
  return { ...(tls && { tls: { http: tls, grpc: tls } }), ...(token !== undefined && { token }) }
}

async function readTls({ tlsCert, tlsKey, tlsClientCa }: SecurityFiles): Promise<TlsOptions | undefined> {
  if (tlsCert === undefined && tlsKey === undefined && tlsClientCa === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new UsageError('USAGE', 'Cannot speak TLS without both --tls-cert and --tls-key', { fix: 'Give both' })
  }
  const [cert, key] = [await read('--tls-cert', tlsCert), await read('--tls-key', tlsKey)]
  if (tlsClientCa === undefined) return { cert, key }
  return { cert, key, ca: await read('--tls-client-ca', tlsClientCa), requireClientCert: true }
}

async function readToken(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const text = file === undefined ? env[TOKEN_VARIABLE] : await read('--token-file', file)
  if (text === undefined) return undefined
  const token = text.trim()
  if (/^[\x21-\x7e]+$/.test(token)) return token
  // An empty one would look like protection and be none.
  throw new UsageError('USAGE', 'Cannot use the token: expected printable ASCII without spaces', {
    where: file ?? TOKEN_VARIABLE,
  })
}

async function read(flag: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new UsageError('USAGE', `Cannot read the file of ${flag}: ${toErrorText(error)}`, { where: path })
  }
}
