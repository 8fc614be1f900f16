import { get } from 'node:http'
import { get as getTls } from 'node:https'
import { toErrorText } from '../../core/errors.ts'
import type { ProbeAnswer } from './probing.ts'

const MAX_TEXT_BYTES = 512

/**
 * Asks `GET URL/readyz` once, on a connection of its own, and never rejects. Of an own child on this machine only
 * whether it is ready is asked, not who it is: its certificate need not name this address.
 */
export function probeReady(url: string, timeoutMs: number, signal: AbortSignal): Promise<ProbeAnswer> {
  return new Promise(resolve => {
    const late = AbortSignal.timeout(timeoutMs)
    const silent = (error: unknown): void => {
      const text = late.aborted ? `no answer within ${timeoutMs} ms` : toErrorText(error)
      resolve({ kind: 'silent', text })
    }
    const options = { agent: false, signal: AbortSignal.any([signal, late]), rejectUnauthorized: false } as const
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
    request.on('error', silent)
  })
}
