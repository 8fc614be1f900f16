import { get } from 'node:http'
import { get as getTls } from 'node:https'
import { toErrorText } from '../../core/errors.ts'
import type { ProbeAnswer } from './probing.ts'

const MAX_TEXT_BYTES = 512

/** How OpenSSL words `handshake_failure`: in TLS 1.2, the server wants a certificate (RFC 5246, sections 7.2.2 and 7.4.6). */
const TURNED_AWAY = /SSL alert number 40\b/

/**
 * Asks `GET URL/readyz` once, on a connection of its own, and never rejects. Of an own child on this machine only
 * whether it is ready is asked, not who it is: its certificate need not name this address. One that answers only clients
 * with certificates turns the probe away, which shows that it is there; with TLS 1.3 that could go unseen.
 */
export function probeReady(url: string, timeoutMs: number, signal: AbortSignal): Promise<ProbeAnswer> {
  return new Promise(resolve => {
    const late = AbortSignal.timeout(timeoutMs)
    const silent = (error: unknown): void => {
      const text = late.aborted ? `no answer within ${timeoutMs} ms` : toErrorText(error)
      resolve({ kind: 'silent', text })
    }
    const tls = { rejectUnauthorized: false, maxVersion: 'TLSv1.2' } as const
    const options = { agent: false, signal: AbortSignal.any([signal, late]), ...tls } as const
    const request = (url.startsWith('https:') ? getTls : get)(`${url}/readyz`, options, response => {
      if (response.statusCode === 200) {
        response.resume().on('error', () => {})
        resolve({ kind: 'ready' })
        return
      }
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body = (body + chunk).slice(0, MAX_TEXT_BYTES)
      })
      response.on('error', silent)
      response.on('end', () => resolve({ kind: 'refused', text: `HTTP ${response.statusCode} ${body}`.trim() }))
    })
    request.on('error', error => {
      if (TURNED_AWAY.test(error.message)) resolve({ kind: 'ready' })
      else silent(error)
    })
  })
}
