import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ask, startTestGateway, toRoutes } from './testing/gateway.ts'
import { predicting, startServer } from './testing/upstream.ts'

const PAGE = 'https://app.example'

describe('a gateway with rules of access', () => {
  it('answers predictions and what is about models to those with a token, probes and metrics to all', async () => {
    await using a = await startServer(predicting(1))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using gateway = await startTestGateway({ routes, access: { tokens: ['key'], origins: [] } })
    const refused = await gateway.predict()
    assert.deepEqual(
      [refused.status, refused.headers.get('www-authenticate'), refused.headers.get('x-regatta-error')],
      [401, 'Bearer', 'TOKEN'],
    )
    assert.match(refused.text, /^\{"error":"Expected a token/)
    assert.equal((await ask(`${gateway.url}/v1/models/m`)).status, 401)
    assert.equal((await gateway.predict({ authorization: 'Bearer other' })).status, 401)
    assert.equal(a.seen.length, 0)
    assert.equal((await gateway.predict({ authorization: 'Bearer key' })).status, 200)
    // The token was for the gateway: the replica does not get it.
    assert.equal(a.seen[0]?.headers.authorization, undefined)
    for (const path of ['/livez', '/readyz', '/ping', '/health', '/v2/health/ready', '/metrics'])
      assert.equal((await ask(`${gateway.url}${path}`)).status, 200, path)
  })

  it('passes a token on where it asks for none itself', async () => {
    await using a = await startServer(predicting(1))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using gateway = await startTestGateway({ routes })
    await gateway.predict({ authorization: 'Bearer of-the-server' })
    assert.equal(a.seen[0]?.headers.authorization, 'Bearer of-the-server')
  })

  it('lets pages of a named origin ask, and no others', async () => {
    await using a = await startServer(predicting(1))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using gateway = await startTestGateway({ routes, access: { tokens: ['key'], origins: [PAGE] } })
    const headers = { origin: PAGE, 'access-control-request-method': 'POST' }
    const preflight = await ask(`${gateway.url}/v1/models/m:predict`, { method: 'OPTIONS', headers })
    assert.deepEqual([preflight.status, preflight.headers.get('access-control-allow-origin')], [200, PAGE])
    assert.equal(a.seen.length, 0)
    const reply = await gateway.predict({ origin: PAGE, authorization: 'Bearer key' })
    assert.equal(reply.headers.get('access-control-allow-origin'), PAGE)
    assert.match(reply.headers.get('access-control-expose-headers') ?? '', /x-regatta-prediction/)
    // A refusal can be read by the page too.
    assert.equal((await gateway.predict({ origin: PAGE })).headers.get('access-control-allow-origin'), PAGE)
    const other = await gateway.predict({ origin: 'https://other.example', authorization: 'Bearer key' })
    assert.equal(other.headers.get('access-control-allow-origin'), null)
  })
})
