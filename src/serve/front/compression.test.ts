import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib'
import { type HttpHandler, type HttpRequest, toTextResponse } from '../../core/http/http.ts'
import { pickEncoding, withCompression } from './compression.ts'

const toRequest = (headers: Record<string, string>, body: Uint8Array = new Uint8Array()): HttpRequest => ({
  method: 'POST',
  path: '/',
  query: new URLSearchParams(),
  headers,
  body,
  signal: new AbortController().signal,
})

const echo: HttpHandler = ({ body, headers }) =>
  toTextResponse(200, `${Buffer.from(body)}${headers['content-encoding'] ?? ''}`)
const limits = { maxBodyBytes: 100_000, maxInFlight: 8, reserve: () => () => {} }
const text = 'a text, '.repeat(20)

describe('withCompression()', () => {
  const encoded: readonly [encoding: string, body: Uint8Array][] = [
    ['gzip', gzipSync(text)],
    ['X-Gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['identity', Buffer.from(text)],
  ]
  for (const [encoding, body] of encoded) {
    it(`inflates ${encoding} of ${body.byteLength} bytes`, async () => {
      const { status, body: answer } = await withCompression(
        echo,
        limits,
      )(toRequest({ 'content-encoding': encoding }, body))
      const seen = Buffer.from(answer instanceof Uint8Array ? answer : '').toString()
      assert.deepEqual([status, seen.replace('identity', '')], [200, text])
    })
  }

  it('refuses what inflates to more than the limit, is damaged, or is encoded otherwise', async () => {
    const handler = withCompression(() => assert.fail('it was to be refused'), limits)
    const wrong: readonly [encoding: string, body: Uint8Array, status: number, error: RegExp][] = [
      ['gzip', gzipSync(Buffer.alloc(100_001)), 413, /inflates to more than the limit of 100000 bytes/],
      ['deflate', deflateSync(Buffer.alloc(10_000_000)), 413, /inflates to more/],
      ['gzip', Buffer.from('text'), 400, /^{"error":"Cannot inflate the body as gzip: incorrect header check"}$/],
      ['gzip', gzipSync(text).subarray(0, 20), 400, /Cannot inflate the body as gzip/],
      ['br', Buffer.from(text), 415, /in \\"br\\": expected gzip, deflate or none/],
      ['gzip, gzip', gzipSync(gzipSync(text)), 415, /expected gzip, deflate or none/],
    ]
    for (const [encoding, body, status, error] of wrong) {
      const answer = await handler(toRequest({ 'content-encoding': encoding }, body))
      assert.equal(answer.status, status)
      assert.match(Buffer.from(answer.body instanceof Uint8Array ? answer.body : '').toString(), error)
    }
  })

  it('leaves what went wrong with the answer to others', async () => {
    const handler = withCompression(() => Promise.reject(new Error('broken')), limits)
    await assert.rejects(async () => await handler(toRequest({ 'content-encoding': 'gzip' }, gzipSync(text))), /broken/)
  })

  it('counts what a body has grown to, for as long as it is answered', async () => {
    const seen: number[] = []
    const reserve = (bytes: number) => {
      seen.push(bytes)
      return () => void seen.push(-bytes)
    }
    const handler = withCompression(
      request => {
        assert.deepEqual(seen, [text.length])
        return echo(request)
      },
      { ...limits, reserve },
    )
    await handler(toRequest({ 'content-encoding': 'gzip' }, gzipSync(text)))
    assert.deepEqual(seen, [text.length, -text.length])
  })

  it('sends long answers deflated to those who accept it', async () => {
    const long = 'x'.repeat(16 * 1024)
    const handler = withCompression(({ path }) => toTextResponse(200, path === '/' ? long : long.slice(1)), limits)
    const ask = async (accept: string, path = '/') => {
      const { headers, body } = await handler({ ...toRequest({ 'accept-encoding': accept }), path })
      return { encoding: headers['content-encoding'], vary: headers['vary'], body: body as Uint8Array }
    }
    const zipped = await ask('gzip, deflate')
    assert.deepEqual(
      [zipped.encoding, zipped.vary, gunzipSync(zipped.body).toString()],
      ['gzip', 'accept-encoding', long],
    )
    const deflated = await ask('deflate')
    assert.deepEqual([deflated.encoding, inflateSync(deflated.body).toString()], ['deflate', long])
    const plain = await ask('')
    assert.deepEqual([plain.encoding, plain.vary, plain.body.byteLength], [undefined, 'accept-encoding', long.length])
    assert.equal((await ask('gzip', '/short')).encoding, undefined)
  })
})

describe('pickEncoding()', () => {
  const rows = [
    ['', undefined],
    ['gzip', 'gzip'],
    ['deflate, gzip', 'gzip'],
    ['deflate;q=1, gzip;q=0.5', 'deflate'],
    ['gzip;q=0', undefined],
    ['gzip;q=0.5', 'gzip'],
    ['*', 'gzip'],
    ['*;q=0', undefined],
    ['br', undefined],
    ['identity;q=1, gzip;q=0.5', undefined],
    ['gzip;q=x', undefined],
  ] as const
  for (const [accept, wanted] of rows) {
    it(`picks ${wanted} from "${accept}"`, () => assert.equal(pickEncoding(accept), wanted))
  }
})
