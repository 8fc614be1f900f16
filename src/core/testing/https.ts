import { get } from 'node:https'
import type { ConnectionOptions } from 'node:tls'

/** An answer, read. */
export interface TlsReply {
  readonly status: number
  readonly text: string
}

/** Asks over TLS, on a connection of its own; rejects where there is no answer within 10 s. */
export function getOverTls(url: string, connection: ConnectionOptions): Promise<TlsReply> {
  return new Promise((resolve, reject) => {
    const options = { ...connection, agent: false, signal: AbortSignal.timeout(10_000) }
    get(url, options, answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', chunk => {
        text += String(chunk)
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
    }).on('error', reject)
  })
}
