import { readFile } from 'node:fs/promises'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { resolve } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { RegattaError, toErrorText, UsageError } from '../core/errors.ts'
import { isObject } from '../core/json.ts'
import { loadHttp, loadHttps } from '../core/late.node.ts'
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
  /** PEM files of what to show to a gateway that wants certificates of its clients. */
  readonly client: { readonly cert: string; readonly key: string } | undefined
}

/** What came back. */
export interface PredictionAnswer {
  readonly prediction: string
  readonly variant: string
  readonly body: unknown
}

/**
 * Posts the file to the gateway.
 * @throws GATEWAY_AWAY, PREDICT_FILE, TLS_FILE, CLIENT_CERT (a `UsageError`), PREDICT with the server's own words
 */
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
  checkClient(wish.client, wish.gateway)
  const url = `${wish.gateway}/v1/models/${encodeURIComponent(wish.model)}:predict`
  const headers = { 'content-type': 'application/json', ...wish.headers }
  const tls = await readTls(wish)
  const posted = post(url, headers, body, call.signal, tls)
  const {
    status,
    headers: answered,
    text,
  } = await posted.catch((cause: unknown) => {
    throw call.signal.aborted ? cause : toAway(url, wish.client, cause)
  })
  const answer: unknown = JSON.parse(text)
  if (status !== 200) {
    const words = isObject(answer) && typeof answer['error'] === 'string' ? answer['error'] : text.slice(0, 2000)
    throw new RegattaError('PREDICT', `The model server answered ${status}: ${words}`, {
      where: `POST ${url}`,
    })
  }
  return {
    prediction: String(answered['x-regatta-prediction'] ?? ''),
    variant: String(answered['x-regatta-variant'] ?? ''),
    body: answer,
  }
}

/** A certificate that nobody would look at is a mistake. */
function checkClient(client: PredictionWish['client'], gateway: string): void {
  if (client === undefined || gateway.startsWith('https:')) return
  const what = 'Cannot show the certificate of --client-cert: the gateway does not speak TLS'
  const fix = 'Leave --client-cert and --client-key out, or set targets.local.tls, then: regatta down, regatta up'
  throw new UsageError('CLIENT_CERT', what, { where: gateway, fix })
}

function toAway(where: string, client: PredictionWish['client'], cause: unknown): RegattaError {
  const mayWantOne = client === undefined && where.startsWith('https:')
  const fix = mayWantOne
    ? 'regatta status tells how it is; one with targets.local.tls.clientCa wants --client-cert FILE --client-key FILE'
    : 'regatta status tells how it is'
  return new RegattaError('GATEWAY_AWAY', `Cannot ask the gateway: ${toErrorText(cause)}`, { where, fix, cause })
}

interface Posted {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Sends a body and reads the whole answer. */
async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  signal: AbortSignal,
  tls: ConnectionOptions,
): Promise<Posted> {
  const { request } = url.startsWith('https:') ? loadHttps() : loadHttp()
  const options = { ...tls, method: 'POST', headers: { ...headers, 'content-length': body.byteLength }, signal }
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { ...options, agent: false }, resolve)
      .on('error', reject)
      .end(body)
  })
  const chunks: Uint8Array[] = []
  for await (const chunk of answer) chunks.push(chunk)
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString('utf8') }
}

async function readTls({ certificate, client }: PredictionWish): Promise<ConnectionOptions> {
  const own = client && { cert: await readPem(client.cert), key: await readPem(client.key) }
  if (certificate === undefined) return { ...own }
  return {
    ...own,
    ca: await readPem(certificate),
    allowPartialTrustChain: true,
    checkServerIdentity: () => undefined,
  }
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const what = `Cannot read the certificate file: ${toErrorText(cause)}`
    throw new RegattaError('TLS_FILE', what, { where: path, fix: 'Name a PEM file that you may read', cause })
  }
}
