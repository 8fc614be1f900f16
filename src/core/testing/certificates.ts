import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate and its private key, as PEM texts. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** An authority and what it signed: a server at 127.0.0.1 and a client. */
export interface Certificates {
  readonly ca: string
  readonly server: Certificate
  readonly client: Certificate
}

/** Makes certificates that are good for a day, with the machine's `openssl`. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'regatta-certificates-'))
  try {
    const ca = make(folder, 'ca', ['-x509', '-addext', 'keyUsage=critical,keyCertSign'])
    return { ca: ca.cert, server: sign(folder, 'server'), client: sign(folder, 'client') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

function make(folder: string, name: string, more: readonly string[]): Certificate {
  openssl(folder, ['req', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`, ...more])
  return read(folder, name)
}

function sign(folder: string, name: string): Certificate {
  const { key } = make(folder, name, [])
  writeFileSync(join(folder, 'extensions'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
  const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1', '-extfile', 'extensions']
  openssl(folder, ['x509', '-req', '-in', `${name}.pem`, '-out', `${name}.pem`, ...by])
  return { ...read(folder, name), key }
}

function openssl(folder: string, args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
}

function read(folder: string, name: string): Certificate {
  const text = (suffix: string): string => readFileSync(join(folder, `${name}.${suffix}`), 'utf8')
  return { cert: text('pem'), key: text('key') }
}
