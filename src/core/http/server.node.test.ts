import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, get, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type HttpHandler, toChanged, toTextResponse } from './http.ts'
import { type HttpServer, type ListenOptions, listenHttp } from './server.node.ts'

const listen = (handler: HttpHandler, options: Partial<ListenOptions> = {}) =>
  listenHttp(handler, { port: 0, ...options })

describe('listenHttp()', () => {
  for (const method of ['GET', 'POST']) {
    it(`answers 500 without the text of what a handler of ${method} throws`, async () => {
      const seen: unknown[] = []
      await using server = await listen(
        () => {
          throw new Error('a secret')
        },
        { onError: error => seen.push(error) },
      )
      const body = method === 'POST' ? 'x' : null
      const response = await fetch(server.url, { method, body, signal: AbortSignal.timeout(5000) })
      assert.equal(response.status, 500)
      assert.doesNotMatch(await response.text(), /secret/)
      assert.equal(seen.length, 1)
    })
  }

  it('aborts the signal of a request whose client goes away, and of no other', async () => {
    const signals: AbortSignal[] = []
    await using server = await listen(async ({ path, signal }) => {
      signals.push(signal)
      if (path === '/slow') await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
      return toTextResponse(200, 'done')
    })
    assert.equal(await (await fetch(server.url)).text(), 'done')
    const leave = new AbortController()
    const gone = fetch(`${server.url}/slow`, { signal: leave.signal })
    while (signals.length < 2) await sleep(5)
    leave.abort()
    await assert.rejects(gone)
    const deadline = Date.now() + 5000
    while (signals[1]?.aborted !== true && Date.now() < deadline) await sleep(5)
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [false, true],
    )
  })

  it('hands a body on as it arrives, however long it is, where it is told to', async () => {
    const streams = ({ path }: { readonly path: string }): boolean => path === '/stream'
    await using server = await listen(
      async ({ body, chunks }) => {
        let length = body.byteLength
        for await (const chunk of chunks ?? []) length += chunk.byteLength
        return toTextResponse(200, String(length))
      },
      { maxBodyBytes: 10, streams },
    )
    const post = async (path: string): Promise<string> =>
      await (await fetch(`${server.url}${path}`, { method: 'POST', body: 'x'.repeat(1000) })).text()
    assert.equal(await post('/stream'), '1000')
    assert.match(await post('/'), /longer than the limit/)
  })

  it('answers before the end of a body that its handler does not want', async () => {
    await using server = await listen(() => toTextResponse(401, 'no'), { streams: () => true })
    const body = ReadableStream.from(endless())
    const response = await fetch(server.url, { method: 'POST', body, duplex: 'half' } as RequestInit)
    assert.equal(response.status, 401)
    assert.equal(await response.text(), 'no')
  })

  describe('a body that stops coming', () => {
    const post = async (server: HttpServer, path: string): Promise<Response> => {
      const held = new ReadableStream({ start: controller => controller.enqueue(new Uint8Array(3)) })
      return await fetch(server.url + path, { method: 'POST', body: held, duplex: 'half' } as RequestInit)
    }
    const open = async (): Promise<HttpServer> =>
      await listen(
        async ({ chunks }) => {
          for await (const _ of chunks ?? []);
          return toTextResponse(200, 'done')
        },
        {
          streams: ({ path }) => path === '/stream',
          requestTimeoutMs: 50,
          onError: error => assert.fail(String(error)),
        },
      )

    it('ends its connection where it is handed on as it arrives', async () => {
      await using server = await open()
      await assert.rejects(post(server, '/stream'))
    })

    it('is answered 408 where it is read first', async () => {
      await using server = await open()
      assert.equal((await post(server, '/whole')).status, 408)
    })
  })

  it('refuses a body beyond the limit, declared or in chunks', async () => {
    await using server = await listen(({ body }) => toTextResponse(200, String(body.byteLength)), { maxBodyBytes: 10 })
    const post = async (body: string | ReadableStream): Promise<number> =>
      (await fetch(server.url, { method: 'POST', body, ...{ duplex: 'half' } })).status
    assert.equal(await post('x'.repeat(10)), 200)
    assert.equal(await post('x'.repeat(11)), 413)
    const chunks = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(8))
        controller.enqueue(new Uint8Array(8))
        controller.close()
      },
    })
    assert.equal(await post(chunks), 413)
  })

  it('answers 413 to a body that is declared too long before it asks whether there is room', async () => {
    await using server = await listenHttp(() => toTextResponse(200, ''), {
      port: 0,
      maxBodyBytes: 10,
      admit: () => toTextResponse(503, 'no room'),
    })
    const ask = async (body: string) => (await fetch(server.url, { method: 'POST', body })).status
    assert.deepEqual([await ask('x'.repeat(11)), await ask('x')], [413, 503])
  })

  it('answers 417 to what it cannot do, as it words its other refusals', async () => {
    await using server = await listen(() => toTextResponse(200, ''))
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const asking = request(server.url, { method: 'POST', headers: { expect: 'the best' } }, resolve)
      asking.on('error', reject).end('x')
    })
    let text = ''
    for await (const chunk of answer) text += String(chunk)
    const error = 'Cannot do what "expect: the best" asks for: expected 100-continue'
    assert.deepEqual([answer.statusCode, JSON.parse(text)], [417, { error }])
  })

  it('drains: what is in flight is answered, what comes later is not', async () => {
    let release = (): void => {}
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    let entered = false
    await using server = await listen(async () => {
      entered = true
      await held
      return toTextResponse(200, 'late')
    })
    const inFlight = fetch(server.url)
    while (!entered) await sleep(5)
    const started = Date.now()
    const drained = server.drain(10_000)
    await assert.rejects(fetch(server.url))
    release()
    assert.equal(await (await inFlight).text(), 'late')
    await drained
    assert.ok(Date.now() - started < 5000, 'the kept-alive connection is not waited for')
  })

  it('leaves before it drains: it answers on connections that are open, and asks to close them', async () => {
    await using server = await listen(async () => toTextResponse(200, 'still here'))
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = (): Promise<string | undefined> =>
      new Promise((resolve, reject) => {
        get(server.url, { agent }, response => {
          response.resume()
          response.once('end', () => resolve(response.headers.connection))
        }).once('error', reject)
      })
    assert.equal(await ask(), 'keep-alive')
    const drained = server.drain(10_000, 300)
    assert.equal(await ask(), 'close')
    await drained
    await assert.rejects(ask())
    agent.destroy()
  })

  it('drains within its time where a request hangs', async () => {
    await using server = await listen(async () => await new Promise<never>(() => {}))
    const hanging = fetch(server.url)
    hanging.catch(() => {})
    await sleep(50)
    const started = Date.now()
    await server.drain(100)
    assert.ok(Date.now() - started < 5000)
    await assert.rejects(hanging)
  })

  it('gives a request as it came: its target, its query and its headers', async () => {
    await using server = await listen(({ target, path, query, headers }) =>
      toTextResponse(200, JSON.stringify([target, path, query.get('b'), headers['set-cookie'], headers['x-twice']])),
    )
    const headers = { 'set-cookie': ['a=1', 'b=2'], 'x-twice': ['1', '2'] }
    const text = await new Promise((resolve, reject) => {
      const asking = request(`${server.url}/p%41?a=%20&b=c+d`, { headers }, answer => {
        answer.setEncoding('utf8').on('data', resolve)
      })
      asking.on('error', reject).end()
    })
    assert.deepEqual(JSON.parse(String(text)), ['/p%41?a=%20&b=c+d', '/p%41', 'c d', 'a=1, b=2', '1, 2'])
  })

  it('aborts a signal that is looked at only after the client went away', async () => {
    let signal: AbortSignal | undefined
    const entered = Promise.withResolvers<void>()
    await using server = await listen(async incoming => {
      entered.resolve()
      await sleep(100)
      signal = incoming.signal
      return toTextResponse(200, '')
    })
    const leave = new AbortController()
    const gone = fetch(server.url, { signal: leave.signal })
    await entered.promise
    leave.abort()
    await assert.rejects(gone)
    for (const deadline = Date.now() + 5000; signal === undefined && Date.now() < deadline; ) await sleep(5)
    assert.equal(signal?.aborted, true)
  })

  it('tells no length of an answer that never has a body', async () => {
    await using server = await listen(() => ({ status: 204, headers: {}, body: new Uint8Array() }))
    assert.equal((await fetch(server.url)).headers.get('content-length'), null)
  })

  it('gives requests that keep their query and signal when some of them is replaced', async () => {
    const body = new TextEncoder().encode('another')
    await using server = await listen(request => {
      const changed = toChanged(request, { body })
      const { signal, query, method, path } = changed
      return toTextResponse(200, `${method} ${path} ${query.get('q')} ${signal.aborted} ${changed.body === body}`)
    })
    const response = await fetch(`${server.url}/p?q=1`, { method: 'POST', body: 'one' })
    assert.equal(await response.text(), 'POST /p 1 false true')
  })

  it('refuses a head that is too long', async () => {
    await using server = await listen(() => toTextResponse(200, 'ok'), { maxHeadBytes: 1000 })
    assert.equal((await fetch(server.url, { headers: { x: 'y'.repeat(1000) } })).status, 431)
  })

  it('closes connections beyond the limit unanswered', async () => {
    await using server = await listen(() => toTextResponse(200, 'ok'), { maxConnections: 1 })
    const held = connect(server.port, server.host)
    await once(held, 'connect')
    await assert.rejects(fetch(server.url))
    held.destroy()
  })

  it('tells of a port in use', async () => {
    await using server = await listen(() => toTextResponse(200, ''))
    await assert.rejects(
      listen(() => toTextResponse(200, ''), { port: server.port }),
      { code: 'PORT_IN_USE' },
    )
  })
})

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) {
    yield new Uint8Array(1000)
    await sleep(1)
  }
}
