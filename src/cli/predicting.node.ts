import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Agent, fetch } from 'undici'
import { RegattaError, toErrorText } from '../core/errors.ts'
import { isObject } from '../core/json.ts'
import type { Call } from './verb.ts'

/** One request as a client sends it. */
export interface PredictionWish {
  /** Path of the request's JSON, or `-` for stdin. */
  readonly file: string
  readonly gateway: string | null
  readonly model: string
  readonly headers: Readonly<Record<string, string>>
  /** PEM file of the gateway's certificate, where it speaks TLS: that one is trusted, whatever name it has. */
  readonly certificate: string | undefined
}

/** What came back. */
export interface PredictionAnswer {
  readonly prediction: string
  readonly variant: string
  readonly body: unknown
}

/** Posts the file to the gateway. @throws GATEWAY_AWAY, PREDICT_FILE, PREDICT with the server's own words */
export async function sendPrediction(call: Call, wish: PredictionWish): Promise<PredictionAnswer> {
  const path = wish.file === '-' ? '/dev/stdin' : resolve(call.cwd, wish.file)
  const body = await readFile(path).catch((error: unknown) => {
    throw new RegattaError('PREDICT_FILE', `Cannot read the request: ${toErrorText(error)}`, {
      where: path,
      fix: 'Name a file that you may read, or - for stdin',
    })
  })
  if (wish.gateway === null) {
    throw new RegattaError('GATEWAY_AWAY', 'The gateway does not listen', { fix: 'regatta status tells why' })
  }
  const url = `${wish.gateway}/v1/models/${encodeURIComponent(wish.model)}:predict`
  const headers = { 'content-type': 'application/json', ...wish.headers }
  const dispatcher = await openAgent(wish.certificate)
  const response = await fetch(url, {
    method: 'POST',
    headers,
    body,
    signal: call.signal,
    ...(dispatcher && { dispatcher }),
  })
  const text = await response.text()
  const answer: unknown = JSON.parse(text)
  if (!response.ok) {
    const words = isObject(answer) && typeof answer['error'] === 'string' ? answer['error'] : text.slice(0, 2000)
    throw new RegattaError('PREDICT', `The model server answered ${response.status}: ${words}`, {
      where: `POST ${url}`,
    })
  }
  return {
    prediction: response.headers.get('x-regatta-prediction') ?? '',
    variant: response.headers.get('x-regatta-variant') ?? '',
    body: answer,
  }
}

/** Trusts one certificate; undefined where there is none. It ends with the process. */
async function openAgent(certificate: string | undefined): Promise<Agent | undefined> {
  if (certificate === undefined) return undefined
  const ca = await readFile(certificate, 'utf8')
  return new Agent({ connect: { ca, allowPartialTrustChain: true, checkServerIdentity: () => undefined } })
}
