import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { startTestGateway, toRoutes } from './testing/gateway.ts'
import { predicting, startServer } from './testing/upstream.ts'

/** Sends bytes and returns all that comes back until the server closes. */
function exchange(url: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text))
    let all = ''
    socket.setEncoding('latin1')
    socket.setTimeout(3_000, () => socket.destroy(new Error(`No end within 3 s after: ${all}`)))
    socket.on('data', chunk => {
      all += String(chunk)
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(all))
  })
}

const BODY = '{"instances":[[1]]}'
const toRequest = (line: string, headers: readonly string[], body = ''): string =>
  `${[line, 'host: x', 'connection: close', ...headers].join('\r\n')}\r\n\r\n${body}`
const POST = 'POST /v1/models/m:predict HTTP/1.1'

describe('a gateway on the wire', () => {
  const cases: readonly [string, string, RegExp][] = [
    ['what is no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['two lengths', toRequest(POST, ['content-length: 19', 'content-length: 5'], BODY), /^HTTP\/1\.1 400 /],
    [
      'a length beside chunks',
      toRequest(POST, ['content-length: 19', 'transfer-encoding: chunked'], BODY),
      /^HTTP\/1\.1 400 /,
    ],
    ['headers without end', toRequest(POST, [`x: ${'y'.repeat(40_000)}`]), /^HTTP\/1\.1 431 /],
    [
      'a target that no server has',
      toRequest('OPTIONS * HTTP/1.1', []),
      /^HTTP\/1\.1 400 [\s\S]*x-regatta-error: UNSENDABLE/,
    ],
    [
      'a body in chunks that is too long',
      toRequest(POST, ['transfer-encoding: chunked'], `40\r\n${'x'.repeat(64)}\r\n0\r\n\r\n`),
      /^HTTP\/1\.1 413 /,
    ],
  ]
  for (const [name, text, wanted] of cases) {
    it(`refuses ${name}, and answers the next request`, async () => {
      await using a = await startServer(predicting(1))
      const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
      await using gateway = await startTestGateway({ routes, limits: { maxBodyBytes: 60 } })
      assert.match(await exchange(gateway.url, text), wanted)
      assert.equal(a.seen.length, 0)
      assert.equal((await gateway.predict()).status, 200)
    })
  }

  it('takes a body in chunks, and passes on neither the hop’s headers nor those it names', async () => {
    await using a = await startServer(predicting(1))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using gateway = await startTestGateway({ routes })
    const headers = ['transfer-encoding: chunked', 'te: trailers', 'x-kept: 1', 'x-hop: 1', 'connection: x-hop']
    const answer = await exchange(gateway.url, toRequest(POST, headers, `13\r\n${BODY}\r\n0\r\n\r\n`))
    assert.match(answer, /^HTTP\/1\.1 200 /)
    const seen = a.seen[0]
    assert.equal(seen?.body, BODY)
    assert.deepEqual(
      ['transfer-encoding', 'te', 'x-hop', 'x-kept', 'content-length'].map(header => seen?.headers[header]),
      [undefined, undefined, undefined, '1', '19'],
    )
  })
})
