import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { SCHEMAS } from './api/schemas.ts'
import { ENDPOINTS, type Endpoint } from './endpoints.ts'
import { checkAccess, checkHost, isLoopback } from './guard.ts'
import { ADMIN, Place, type Running } from './testing/place.ts'
import { type Scope, toScopedToken, toScopeOf } from './tokens.ts'

const endpoints: readonly (readonly [string, Endpoint])[] = Object.entries(ENDPOINTS)
const scopes: readonly Scope[] = ['admin', 'truth', 'read', 'gateway']

describe('the API', () => {
  let place: Place
  let running: Running
  before(async () => {
    place = await Place.open()
    running = await place.start()
  })
  after(async () => await place[Symbol.asyncDispose]())

  const callWith = async (method: string, path: string, headers: Record<string, string>): Promise<Response> =>
    await fetch(`${running.control.url}${path}`, { method, headers })
  const errorOf = async (response: Response) => SCHEMAS.Error.parse(await response.json()).error

  for (const [name, { method, path, access }] of endpoints.filter(([, { access }]) => !/open|board/.test(access))) {
    it(`refuses ${name} to a stranger and to a token of another scope`, async () => {
      const real = path.replaceAll(/\{\w+\}/g, 'x')
      const none = await callWith(method, real, {})
      assert.equal(none.status, 401)
      assert.equal(none.headers.get('www-authenticate'), 'Bearer')
      assert.equal((await errorOf(none)).code, 'UNAUTHENTICATED')
      const wrong = await callWith(method, real, { authorization: 'Bearer wrong' })
      assert.equal((await errorOf(wrong)).code, 'UNAUTHENTICATED')
      for (const scope of scopes.filter(scope => scope !== access && scope !== 'admin')) {
        const other = await running.call(real, { method }, scope)
        assert.equal(other.status, 403)
        assert.equal((await errorOf(other)).code, 'FORBIDDEN')
      }
    })
  }

  for (const [name, { method, path, streams }] of endpoints.filter(([, { access }]) => access === 'open')) {
    it(`answers ${name} to everybody`, async () => {
      assert.equal(streams, undefined)
      const response = await callWith(method, path, {})
      assert.equal(response.status, 200)
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
      assert.ok((await response.text()).length > 0)
    })
  }

  it('answers HEAD without a body', async () => {
    const response = await callWith('HEAD', '/api/v1/status', {})
    assert.deepEqual([response.status, await response.text()], [200, ''])
  })

  it('knows no other path', async () => {
    const response = await callWith('GET', '/api/v1/nothing', {})
    assert.equal(response.status, 404)
    assert.equal((await errorOf(response)).code, 'NOT_FOUND')
  })

  it('names the methods of a path', async () => {
    const response = await callWith('PUT', '/api/v1/deploy', {})
    assert.deepEqual([response.status, response.headers.get('allow')], [405, 'POST'])
    assert.equal((await errorOf(response)).code, 'METHOD')
  })

  it('refuses another host name on a loopback address', async () => {
    const { hostname, port } = new URL(running.control.url)
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { host: `evil.example:${port}` }
      const ask = request({ hostname, port, path: '/api/v1/status', headers }, answer => {
        answer.resume()
        resolve(answer.statusCode)
      })
      ask.once('error', reject)
      ask.end()
    })
    assert.equal(status, 403)
  })

  it('refuses a command longer than 64 KiB before and after reading it', async () => {
    const long = JSON.stringify({ variant: 'x'.repeat(100_000) })
    const declared = await running.call('/api/v1/promote', { method: 'POST', body: long })
    assert.equal(declared.status, 413)
    assert.equal((await errorOf(declared)).code, 'BODY_TOO_LONG')
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(long))
        controller.close()
      },
    })
    const chunked = await running.call('/api/v1/promote', { method: 'POST', body, duplex: 'half' })
    assert.equal(chunked.status, 413)
  })

  it('serves a description of exactly these operations, whose references resolve', async () => {
    const text = await (await callWith('GET', '/api/v1/openapi.json', {})).text()
    const { paths, components } = JSON.parse(text)
    const described = Object.entries<object>(paths).flatMap(([path, item]) =>
      Object.keys(item).map(method => `${method.toUpperCase()} ${path}`),
    )
    assert.deepEqual(described.sort(), endpoints.map(([, { method, path }]) => `${method} ${path}`).sort())
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name ?? '')
    assert.ok(references.length > 20)
    for (const name of references) assert.ok(components.schemas[name], name)
  })

  it('counts its answers', async () => {
    const text = await (await callWith('GET', '/metrics', {})).text()
    assert.match(text, /regatta_control_requests_total\{operation="none",status="404"\} 1/)
    assert.match(text, /regatta_control_streams\{kind="events"\} 0/)
  })
})

describe('tokens', () => {
  it('tell their scope, and strangers have none', () => {
    const scopeOf = toScopeOf(ADMIN)
    assert.equal(scopeOf(ADMIN), 'admin')
    for (const scope of scopes) assert.equal(scopeOf(toScopedToken(ADMIN, scope)), scope)
    assert.equal(scopeOf(toScopedToken('another', 'admin')), undefined)
    assert.equal(scopeOf(''), undefined)
  })
})

describe('checkAccess()', () => {
  const scopeOf = toScopeOf(ADMIN)
  const bearer = (scope: Scope): string => `Bearer ${toScopedToken(ADMIN, scope)}`

  it('closes the board where others can reach it', () => {
    assert.doesNotThrow(() => checkAccess('board', undefined, { scopeOf, boundHost: '127.0.0.1' }))
    const open = { scopeOf, boundHost: '0.0.0.0' }
    assert.throws(() => checkAccess('board', undefined, open), { code: 'UNAUTHENTICATED' })
    assert.throws(() => checkAccess('board', bearer('truth'), open), { code: 'FORBIDDEN' })
    assert.doesNotThrow(() => checkAccess('board', bearer('read'), open))
    assert.doesNotThrow(() => checkAccess('board', `bearer ${ADMIN}`, open))
  })
})

describe('checkHost()', () => {
  const rows: [bound: string, header: string | undefined, allowed: boolean][] = [
    ['127.0.0.1', '127.0.0.1:8400', true],
    ['127.0.0.1', 'localhost:8400', true],
    ['::1', '[::1]:8400', true],
    ['127.0.0.1', 'evil.example', false],
    ['127.0.0.1', undefined, false],
    ['127.0.0.1', 'localhost.evil.example', false],
    ['0.0.0.0', 'any.example', true],
  ]
  for (const [bound, header, allowed] of rows) {
    it(`${allowed ? 'answers' : 'refuses'} host ${header} on ${bound}`, () => {
      if (allowed) checkHost(bound, header)
      else assert.throws(() => checkHost(bound, header), { code: 'HOST_REFUSED' })
    })
  }

  it('tells loopback addresses', () => {
    assert.deepEqual(['127.8.9.1', '::1', '10.0.0.1', 'localhost'].map(isLoopback), [true, true, false, true])
  })
})
