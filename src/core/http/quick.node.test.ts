import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { listen as listenOn } from '../listen.node.ts'
import { until } from '../testing/wait.ts'
import { type HttpHandler, toTextResponse } from './http.ts'
import { type ListenOptions, listenHttp } from './server.node.ts'

const listen = (handler: HttpHandler, options: Partial<ListenOptions> = {}) =>
  listenHttp(handler, { port: 0, ...options })

const echo: HttpHandler = ({ method, target = '', body }) =>
  toTextResponse(200, `${method} ${target} ${Buffer.from(body).toString('latin1')}`)

const toPost = (body: string, ...lines: string[]): string =>
  [`POST /p HTTP/1.1`, 'host: h', `content-length: ${body.length}`, ...lines, '', body].join('\r\n')

/** Turns of the event loop without an answer after which none is expected: both ends are in this process. */
const QUIET_TURNS = 30

/** Sends texts, one after the other, and gives all that comes until the connection is closed, or nothing more comes. */
async function talk(port: number, texts: readonly string[], pauseMs = 5): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let answer = ''
  let quiet = 0
  socket.setEncoding('latin1').on('data', text => {
    answer += text
    quiet = 0
  })
  // What breaks the connection shows in the answer.
  socket.on('error', () => {})
  for (const [at, text] of texts.entries()) {
    if (at > 0) await sleep(pauseMs)
    if (socket.writable) socket.write(text, 'latin1')
  }
  for (quiet = 0; quiet < QUIET_TURNS && !socket.closed; quiet += 1) await sleep(2)
  socket.destroy()
  return answer
}

/** What an answer says, but for what the two ways word differently: the order of headers, and the date. */
const toBodies = (text: string): readonly string[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d+)[\s\S]*?\r\n\r\n([\s\S]*?)(?=HTTP\/1\.1 |$)/g)].map(
    ([, status, body]) => `${status} ${body}`,
  )

describe('the quick way', () => {
  it('answers requests of the plain form itself, and leaves all others to node:http', async () => {
    await using server = await listen(echo)
    assert.match(
      await talk(server.port, [toPost('abc')]),
      /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\ndate: [\s\S]*\r\n\r\nPOST \/p abc$/,
    )
    const closing = await talk(server.port, [toPost('abc', 'Connection: close')])
    assert.match(closing, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\nDate: [\s\S]*\r\n\r\nPOST \/p abc$/)
  })

  it('sees the requests that node:http sees, whatever comes and however it is cut', async () => {
    const line = fc.constantFrom(
      ...['x: y', 'X-Y:  z ', 'content-length: 3', 'content-length: 4', 'Content-Length: 0', 'content-length: 03'],
      ...['transfer-encoding: chunked', 'Transfer-Encoding: identity', 'connection: close', 'connection: Keep-Alive'],
      ...[
        'host: i',
        'x : y',
        ' folded',
        'x',
        'a: \x01',
        'b: \xe4',
        'expect: 100-continue',
        'expect: other',
        'a: b\nc: d',
      ],
    )
    const request = fc
      .tuple(
        fc.constantFrom(
          'GET / HTTP/1.1',
          'POST /a?b HTTP/1.1',
          'POST /a HTTP/1.0',
          'HEAD / HTTP/1.1',
          'GET * HTTP/1.1',
        ),
        fc.constantFrom('host: h', 'Host: h', 'x: no host'),
        fc.array(line, { maxLength: 3 }),
        fc.constantFrom('', 'abc', 'abcd', '3\r\nabc\r\n0\r\n\r\n', '\r\n'),
      )
      .map(([first, host, lines, body]) => `${[first, host, ...lines].join('\r\n')}\r\n\r\n${body}`)
    const seen: Record<'own' | 'nodes', string[]> = { own: [], nodes: [] }
    const other = createServer((incoming, outgoing) => {
      const chunks: Buffer[] = []
      incoming.on('data', chunk => chunks.push(chunk))
      incoming.on('end', () => {
        seen.nodes.push(`${incoming.method} ${incoming.url} ${Buffer.concat(chunks).toString('latin1')}`)
        outgoing.end()
      })
    })
    const { port } = await listenOn(other, { port: 0 })
    await using server = await listen(({ method, target = '', body }) => {
      seen.own.push(`${method} ${target} ${Buffer.from(body).toString('latin1')}`)
      return toTextResponse(200, '')
    })
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 3 }), fc.nat(60), async (requests, cut) => {
          const all = requests.join('')
          const texts = [all.slice(0, cut), all.slice(cut)].filter(text => text !== '')
          seen.own = []
          seen.nodes = []
          await Promise.all([talk(server.port, texts), talk(port, texts)])
          assert.deepEqual(seen.own, seen.nodes, JSON.stringify(texts))
        }),
        { numRuns: 150, seed: 1 },
      )
    } finally {
      other.close()
      other.closeAllConnections()
    }
  })

  it('takes a request byte by byte, and requests that come together', async () => {
    await using server = await listen(echo)
    assert.deepEqual(toBodies(await talk(server.port, [...toPost('abc')], 0)), ['200 POST /p abc'])
    const together = [toPost('1'), toPost('22'), 'GET /g HTTP/1.1\r\nhost: h\r\n\r\n', toPost('', 'Connection: close')]
    assert.deepEqual(toBodies(await talk(server.port, [together.join('')])), [
      ...['200 POST /p 1', '200 POST /p 22', '200 GET /g ', '200 POST /p '],
    ])
  })

  it('answers in the order of the requests, and reads no further ahead than a little', async () => {
    let running = 0
    await using server = await listen(async ({ body }) => {
      running += 1
      assert.equal(running, 1)
      await sleep(2)
      running -= 1
      return toTextResponse(200, String(body[0]))
    })
    const texts = Array.from({ length: 10 }, (_, at) => toPost(String.fromCharCode(at).repeat(50_000)))
    const text = await talk(server.port, [texts.join('')])
    assert.deepEqual(
      toBodies(text),
      texts.map((_, at) => `200 ${at}`),
    )
  })

  it('leaves a request that takes its time to node:http', async () => {
    await using server = await listen(echo)
    const text = toPost('abc')
    const answer = await talk(server.port, [text.slice(0, -1), text.slice(-1)], 3200)
    assert.match(answer, /\r\nDate: [\s\S]*POST \/p abc$/)
  })

  it('keeps an idle connection for longer than it tells, and then takes what has come before it closes', async t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    await using server = await listen(echo, { keepAliveTimeoutMs: 3000 })
    const socket = connect(server.port, server.host)
    const closed = once(socket, 'close')
    const ask = async (body: string, passMs: number): Promise<string> => {
      // Time passes where it does without a mock: before the event loop reads.
      await sleep(1)
      const answered = once(socket, 'data')
      socket.write(toPost(body))
      t.mock.timers.tick(passMs)
      return String(await Promise.race([answered, closed]))
    }
    assert.match(await ask('a', 0), /\r\nkeep-alive: timeout=3\r\n[\s\S]*POST \/p a$/)
    t.mock.timers.tick(4000)
    assert.match(await ask('b', 0), /POST \/p b$/)
    // Both ends are in this process: the request is there, and unread, when the time is over.
    assert.match(await ask('c', 60_000), /POST \/p c$/)
    t.mock.timers.tick(5000)
    await closed
  })

  it('closes a connection whose answer ends while the server stops', async () => {
    const gate = Promise.withResolvers<void>()
    await using server = await listen(() => {
      async function* twoPieces() {
        yield Buffer.from('one')
        await gate.promise
        yield Buffer.from('two')
      }
      return { status: 200, headers: {}, body: twoPieces() }
    })
    const socket = connect(server.port, server.host)
    socket.write('GET / HTTP/1.1\r\nhost: h\r\n\r\n')
    let answer = String((await once(socket, 'data'))[0])
    socket.on('data', text => {
      answer += String(text)
    })
    const drained = server.drain(60_000).then(() => 'drained')
    gate.resolve()
    const late = new AbortController()
    const given = await Promise.race([drained, sleep(30_000, 'not drained', { signal: late.signal })])
    late.abort()
    assert.equal(given, 'drained')
    await until(() => socket.closed)
    assert.match(answer, /one[\s\S]*two\r\n0\r\n\r\n$/)
  })

  it('refuses before the body is there, and counts a request until it is over', async () => {
    let inside = 0
    await using server = await listen(echo, {
      admit({ path, bodyBytes }) {
        if (bodyBytes === 3) return toTextResponse(429, `not ${path}`)
        inside += 1
        return () => {
          inside -= 1
        }
      },
    })
    const head = toPost('abc').slice(0, -3)
    assert.deepEqual(toBodies(await talk(server.port, [head, 'abc', toPost('abcd')])), ['429 not /p'])
    assert.deepEqual(toBodies(await talk(server.port, [toPost('abcd')])), ['200 POST /p abcd'])
    await talk(server.port, [toPost('abcd').slice(0, -1)])
    for (let tries = 0; inside > 0 && tries < 200; tries += 1) await sleep(10)
    assert.equal(inside, 0)
  })

  it('sends a body in pieces, with marks where its length is not told', async () => {
    const pieces = async function* () {
      yield Buffer.from('a'.repeat(20))
      yield Buffer.alloc(0)
      yield Buffer.from('b')
    }
    await using server = await listen(({ path }) => ({
      status: 200,
      headers: path === '/p' ? {} : { 'content-length': '21' },
      body: pieces(),
    }))
    const marked = await talk(server.port, [toPost('')])
    assert.match(marked, /\r\ntransfer-encoding: chunked\r\n[\s\S]*\r\n\r\n14\r\na{20}\r\n1\r\nb\r\n0\r\n\r\n$/)
    const plain = await talk(server.port, ['GET /g HTTP/1.1\r\nhost: h\r\n\r\n'])
    assert.match(plain, /\r\n\r\na{20}b$/)
    assert.doesNotMatch(plain, /chunked/)
  })

  it('breaks the connection where a piece fails', async () => {
    const errors: unknown[] = []
    const pieces = async function* () {
      yield Buffer.from('a')
      throw new Error('no more')
    }
    const broken: HttpHandler = () => ({ status: 200, headers: {}, body: pieces() })
    await using server = await listen(broken, { onError: error => errors.push(error) })
    assert.match(await talk(server.port, [toPost('')]), /\r\n1\r\na\r\n$/)
    assert.equal(errors.length, 1)
  })

  it('sends no header that would be another one', async () => {
    await using server = await listen(() => toTextResponse(200, 'ok', 'a\r\nx-own: b'))
    const answer = await talk(server.port, [toPost('')])
    assert.match(answer, /^HTTP\/1\.1 500 /)
    assert.doesNotMatch(answer, /x-own/)
  })

  it('sends long bodies whole', async () => {
    await using server = await listen(() => toTextResponse(200, 'a'.repeat(1_000_000)))
    const response = await fetch(server.url)
    assert.equal((await response.text()).length, 1_000_000)
  })
})
