import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type HttpHandler, type HttpRequest, toTextResponse } from '../../core/http/http.ts'
import { withTimeLimit } from './time-limit.node.ts'

const toRequest = (headers: Record<string, string> = {}): HttpRequest => ({
  ...{ method: 'POST', path: '/', query: new URLSearchParams(), headers, body: new Uint8Array() },
  signal: new AbortController().signal,
})
const toText = (body: unknown): string => Buffer.from(body instanceof Uint8Array ? body : '').toString()

/** Answers once nobody wants it any more; tells which signals it got. */
function toHanging() {
  const signals: AbortSignal[] = []
  const handler: HttpHandler = ({ signal }) => {
    signals.push(signal)
    return new Promise(resolve => signal.addEventListener('abort', () => resolve(toTextResponse(499, 'gone'))))
  }
  return { handler, signals }
}

describe('withTimeLimit()', () => {
  const limits: readonly [name: string, limitMs: number | undefined, header: string | undefined, wanted: number][] = [
    ['than the limit', 1, undefined, 1],
    ['than the client waits', undefined, '2', 2],
    ['than the client waits, though they might', 600_000, '2', 2],
    ['than the limit, though the client would wait', 1, '600000', 1],
  ]
  for (const [name, limitMs, header, wanted] of limits)
    it(`gives answers up that take longer ${name}, and has their work dropped`, async () => {
      const { handler, signals } = toHanging()
      const request = toRequest(header === undefined ? {} : { 'x-request-timeout-ms': header })
      const { status, body } = await withTimeLimit(handler, limitMs)(request)
      assert.deepEqual([status, toText(body)], [504, `{"error":"The answer took longer than ${wanted} ms"}`])
      assert.deepEqual([signals[0]?.aborted, request.signal.aborted], [true, false])
    })

  it('lets the client go within the time, and those be who have no limit', async () => {
    const client = new AbortController()
    const { handler, signals } = toHanging()
    const request = { ...toRequest(), signal: client.signal }
    const answers = [withTimeLimit(handler, 600_000)(request), withTimeLimit(handler)(request)]
    client.abort()
    assert.deepEqual([(await answers[0])?.status, (await answers[1])?.status], [499, 499])
    assert.equal(signals[1], client.signal)
  })

  it('hands on answers in time, and refuses a time that cannot be read', async () => {
    const handler = withTimeLimit(() => toTextResponse(200, 'in time'))
    assert.equal(toText((await handler(toRequest({ 'x-request-timeout-ms': '60000' }))).body), 'in time')
    const wrong = await handler(toRequest({ 'x-request-timeout-ms': '1s' }))
    assert.equal(wrong.status, 400)
    assert.match(toText(wrong.body), /x-request-timeout-ms: expected whole milliseconds above 0, found \\"1s\\"/)
  })
})
