import { promisify } from 'node:util'
import type { ZlibOptions } from 'node:zlib'
import { toErrorText, toSystemCode } from '../../core/errors.ts'
import { type HttpHandler, type HttpRequest, type HttpResponse, toChanged } from '../../core/http/http.ts'
import { loadZlib } from '../../core/late.node.ts'
import { ZLIB_CHUNK } from '../../core/zlib-chunk.ts'
import { toQueue } from '../catalog/queue.ts'
import { Refusal, toRefusalResponse } from '../errors.ts'
import type { Admission } from './admission.ts'

/** Shorter answers are not worth the work. */
const MIN_BYTES = 16 * 1024
/** Numbers as text shrink to a third at once; more work gains little. */
const LEVEL = 1
/** Bodies that are inflated at once: until that is over, nobody knows how long they are. */
const PARALLEL = 4

type Method = 'gunzip' | 'inflate' | 'inflateRaw' | 'gzip' | 'deflate'

async function run(method: Method, body: Uint8Array, options: ZlibOptions): Promise<Buffer> {
  return await promisify<Uint8Array, ZlibOptions, Buffer>(loadZlib()[method])(body, options)
}

/** Within what a body may grow. */
export interface InflateLimits {
  readonly maxBodyBytes: number
  readonly maxInFlight: number
  /** Counts what a body has grown by. @throws OVERLOADED */
  readonly reserve: Admission['reserve']
}

/**
 * Has a handler get bodies inflated (`gzip`, `deflate`), and long answers sent deflated to those who accept that.
 * Source: RFC 9110, sections 8.4 and 12.5.3.
 */
export function withCompression(handler: HttpHandler, limits: InflateLimits): HttpHandler {
  const turns = toQueue({ parallel: PARALLEL, maxWaiting: limits.maxInFlight })
  return async request => {
    const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
    if (encoding === 'identity' || encoding === '') {
      const response = await handler(request)
      return isLong(response) ? await compress(request, response) : response
    }
    let release = (): void => {}
    try {
      const body = await turns.run(() => inflateBody(request.body, encoding, limits.maxBodyBytes), request.signal)
      release = limits.reserve(body.byteLength)
      const { 'content-encoding': _, ...headers } = request.headers
      const response = await handler(toChanged(request, { headers, body }))
      return isLong(response) ? await compress(request, response) : response
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return toRefusalResponse(error)
    } finally {
      release()
    }
  }
}

async function inflateBody(body: Uint8Array, encoding: string, maxOutputLength: number): Promise<Uint8Array> {
  const bounds = { ...ZLIB_CHUNK, maxOutputLength }
  try {
    switch (encoding) {
      case 'gzip':
      case 'x-gzip':
        return await run('gunzip', body, bounds)
      case 'deflate':
        // Some clients leave out the two bytes of zlib's header, whose first says "deflate" in its lower half.
        return await run(((body[0] ?? 0) & 15) === 8 ? 'inflate' : 'inflateRaw', body, bounds)
      default:
        throw new Refusal('BODY_TYPE', `Cannot read a body in "${encoding}": expected gzip, deflate or none`, {
          headers: { 'accept-encoding': 'gzip, deflate' },
        })
    }
  } catch (error) {
    if (error instanceof Refusal) throw error
    if (toSystemCode(error) === 'ERR_BUFFER_TOO_LARGE')
      throw new Refusal('BODY_SIZE', `Request body inflates to more than the limit of ${maxOutputLength} bytes`)
    throw new Refusal('BAD_REQUEST', `Cannot inflate the body as ${encoding}: ${toErrorText(error)}`)
  }
}

type LongResponse = HttpResponse & { readonly body: Uint8Array }

/** Whether an answer is worth the work, and not compressed yet. */
function isLong(response: HttpResponse): response is LongResponse {
  const { body, headers } = response
  return body instanceof Uint8Array && body.byteLength >= MIN_BYTES && headers['content-encoding'] === undefined
}

async function compress(request: HttpRequest, response: LongResponse): Promise<HttpResponse> {
  const { body, headers } = response
  const vary = { ...headers, vary: 'accept-encoding' }
  const encoding = pickEncoding(request.headers['accept-encoding'] ?? '')
  if (encoding === undefined) return { ...response, headers: vary }
  const packed = await run(encoding, body, { ...ZLIB_CHUNK, level: LEVEL })
  return { ...response, headers: { ...vary, 'content-encoding': encoding }, body: packed }
}

/** The encoding that a client would rather have than none; `gzip` where it does not care. */
export function pickEncoding(accept: string): 'gzip' | 'deflate' | undefined {
  const weights = new Map(
    accept
      .toLowerCase()
      .split(',')
      .map(item => {
        const [name = '', ...parameters] = item.split(';').map(part => part.trim())
        const weight = parameters.find(part => part.startsWith('q='))
        return [name, weight === undefined ? 1 : Number(weight.slice(2))] as const
      }),
  )
  const weigh = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0
  const best = weigh('deflate') > weigh('gzip') ? 'deflate' : 'gzip'
  const none = weights.get('identity') ?? 0
  return weigh(best) > 0 && weigh(best) >= none ? best : undefined
}
