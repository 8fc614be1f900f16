import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer, request as sendRequest } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { copyImage, type Moved, parseReference, pushImage } from '../index.ts'
import type { RegistryOptions } from './exchange.node.ts'
import { openReach } from './reach.node.ts'
import { openTestPlace, type TestPlace, toTestOptions, writeTestImage } from './testing/image.ts'
import { type Fault, openTestRegistry, readBody, send, type TestRegistry } from './testing/registry.ts'

const never = new AbortController().signal

/** Pushes a small image of the place to a host. */
async function push(place: TestPlace, host: string, options: RegistryOptions): Promise<Moved> {
  const { digest } = (await place.layout.list())[0] ?? (await writeTestImage(place.layout, [1000]))
  return await pushImage(place.layout, digest, parseReference(`${host}/team/forecast:1`), options, never)
}

/** Sends uploads to where `toTarget` says. */
const redirect =
  (status: number, toTarget: (path: string) => string): Fault =>
  (request, response) => {
    if (request.method !== 'PUT' || !request.url?.includes('/uploads/')) return false
    request.resume()
    send(response, status, { location: toTarget(request.url) }, '')
    return true
  }

describe('pushImage() that is sent elsewhere', () => {
  for (const status of [301, 302, 307, 308]) {
    it(`goes there with the same body and without its password (${status})`, async () => {
      await using registry = await openTestRegistry()
      await using storage = await openTestRegistry()
      await using place = await openTestPlace()
      registry.faults.push(
        (request, response) => {
          if (request.headers.authorization !== undefined) return false
          send(response, 401, { 'www-authenticate': 'Basic realm="r"' }, '')
          return true
        },
        redirect(status, path => `${storage.url}/bucket${path}`),
      )
      const kept: Buffer[] = []
      storage.faults.push(async (request, response) => {
        const content = await readBody(request)
        kept.push(content)
        send(response, 201, {}, '')
        return true
      })
      await writeFile(
        join(place.folder, 'config.json'),
        JSON.stringify({ auths: { [registry.host]: { username: 'rower', password: 'oar' } } }),
      )
      // The manifest is refused: what went elsewhere is not in this registry.
      await assert.rejects(push(place, registry.host, toTestOptions(place.folder)), {
        message: /MANIFEST_BLOB_UNKNOWN/,
      })
      assert.ok(kept.some(content => content.length === 1000))
      assert.ok(storage.seen.length >= 2 && storage.seen.every(({ headers }) => headers.authorization === undefined))
      assert.ok(registry.seen.some(({ headers }) => headers.authorization !== undefined))
    })
  }

  it('gives up where it is sent in circles', async () => {
    await using registry = await openTestRegistry()
    await using place = await openTestPlace()
    registry.faults.push(redirect(307, path => path))
    await assert.rejects(push(place, registry.host, toTestOptions(place.folder)), {
      code: 'REGISTRY_LOCATION',
      message: /more than 5 redirects/,
    })
  })
})

describe('a mount', () => {
  /** A registry with an image in `team/forecast`, and what it says to a mount of it. */
  async function copyWith(fault: Fault): Promise<{ readonly moved: Moved; readonly registry: TestRegistry }> {
    await using registry = await openTestRegistry()
    await using place = await openTestPlace()
    const options = toTestOptions(place.folder)
    await push(place, registry.host, options)
    registry.faults.push((request, response, url) =>
      url.searchParams.has('mount') ? fault(request, response, url) : false,
    )
    const [from, to] = ['forecast', 'copy'].map(name => parseReference(`${registry.host}/team/${name}:1`))
    if (from === undefined || to === undefined) assert.fail()
    const moved = await copyImage(
      { kind: 'registry', reference: from },
      { kind: 'registry', reference: to },
      options,
      never,
    )
    assert.equal(registry.tags.get('team/copy:1'), moved.digest)
    assert.equal(registry.sessions.size, 0)
    return { moved, registry }
  }
  const toHow = ({ moved }: { readonly moved: Moved }): readonly string[] => moved.layers.map(({ how }) => how)

  it('spares the upload', async () => {
    assert.deepEqual(toHow(await copyWith(() => false)), ['mounted'])
  })

  it('that opens a session instead (202) uses that session', async () => {
    const result = await copyWith((_, __, url) => {
      // What the registry does not know it cannot mount.
      url.searchParams.delete('from')
      return false
    })
    assert.deepEqual(toHow(result), ['uploaded'])
    const starts = result.registry.seen.filter(({ method, path }) => method === 'POST' && path.includes('/copy/'))
    assert.ok(starts.every(({ path }) => path.includes('mount=')))
  })

  for (const status of [400, 401, 403, 404, 405, 500]) {
    it(`that is refused (${status}) becomes an upload`, async () => {
      const result = await copyWith((_, response) => {
        send(response, status, {}, '')
        return true
      })
      assert.deepEqual(toHow(result), ['uploaded'])
    })
  }
})

describe('openExchange() by TLS', () => {
  const skip = ['/usr/bin/openssl', '/bin/openssl'].some(existsSync) ? false : 'no openssl'

  interface Secure extends AsyncDisposable {
    readonly registry: TestRegistry
    readonly place: TestPlace
    /** File of the authority that signed the registry's certificate. */
    readonly authority: string
  }

  /** A registry by TLS, whose certificate is for 127.0.0.1 and registry.test. */
  async function openSecure(): Promise<Secure> {
    const place = await openTestPlace()
    const [key, cert] = ['key', 'cert'].map(name => join(place.folder, `${name}.pem`))
    if (key === undefined || cert === undefined) assert.fail()
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
        ...['-subj', '/CN=registry.test', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:registry.test'],
        ...['-keyout', key, '-out', cert],
      ],
      { stdio: 'ignore' },
    )
    const registry = await openTestRegistry({
      tls: { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') },
    })
    return {
      registry,
      place,
      authority: cert,
      async [Symbol.asyncDispose]() {
        await registry[Symbol.asyncDispose]()
        await place[Symbol.asyncDispose]()
      },
    }
  }

  it('trusts the authority that SSL_CERT_FILE names, and no other', { skip }, async () => {
    await using it = await openSecure()
    await assert.rejects(push(it.place, it.registry.host, toTestOptions(it.place.folder)), {
      code: 'REGISTRY_UNREACHABLE',
      fix: /SSL_CERT_FILE/,
    })
    const trusting = toTestOptions(it.place.folder, { SSL_CERT_FILE: it.authority })
    await push(it.place, it.registry.host, trusting)
    assert.equal(it.registry.tags.size, 1)
    const nowhere = toTestOptions(it.place.folder, { SSL_CERT_FILE: '/nowhere.pem' })
    await assert.rejects(push(it.place, it.registry.host, nowhere), { code: 'CERTIFICATES', message: /nowhere/ })
  })

  it('sends every byte as it is to a registry that reads slowly', { skip }, async () => {
    await using secure = await openSecure()
    await using plain = await openTestRegistry()
    for (const { host, faults, tags } of [secure.registry, plain]) {
      faults.push(request => {
        const pause = setInterval(() => {
          request.pause()
          setTimeout(() => request.resume(), 3)
        }, 6)
        request.on('close', () => clearInterval(pause))
        return false
      })
      // The registry compares what came with its digest.
      const image = await writeTestImage(secure.place.layout, [6_000_000, 2_000_000, 300_000])
      const options = toTestOptions(secure.place.folder, { SSL_CERT_FILE: secure.authority })
      await pushImage(secure.place.layout, image.digest, parseReference(`${host}/a:1`), options, never)
      assert.equal(tags.size, 1)
    }
  })

  it('goes through HTTPS_PROXY as a tunnel, but not to what NO_PROXY names', { skip }, async () => {
    await using it = await openSecure()
    await using proxy = await openProxy(it.registry.host)
    const env = { HTTPS_PROXY: proxy.url, SSL_CERT_FILE: it.authority }
    await push(it.place, 'registry.test', toTestOptions(it.place.folder, env))
    assert.deepEqual([...new Set(proxy.seen)], ['CONNECT registry.test:443'])
    assert.equal(it.registry.tags.size, 1)
    const before = proxy.seen.length
    await assert.rejects(
      push(it.place, 'registry.test', toTestOptions(it.place.folder, { ...env, NO_PROXY: '.test' })),
      {
        code: 'REGISTRY_UNREACHABLE',
      },
    )
    await push(it.place, it.registry.host, toTestOptions(it.place.folder, env))
    assert.equal(proxy.seen.length, before)
  })
})

describe('openExchange() by plain HTTP', () => {
  it('goes through HTTP_PROXY, where that is allowed', async () => {
    await using registry = await openTestRegistry()
    await using place = await openTestPlace()
    await using proxy = await openProxy(registry.host)
    const options = toTestOptions(place.folder, { http_proxy: proxy.url })
    await assert.rejects(push(place, 'registry.test', options), { code: 'REGISTRY_UNREACHABLE' })
    assert.ok(
      proxy.seen.every(line => line.startsWith('CONNECT registry.test:443')),
      proxy.seen.join(', '),
    )
    await push(place, 'registry.test', { ...options, insecure: true })
    assert.equal(registry.tags.size, 1)
  })
})

describe('openReach()', () => {
  it('finds a registry once for all that share it, and again where it was not there', async () => {
    await using registry = await openTestRegistry()
    await using place = await openTestPlace()
    const options = toTestOptions(place.folder)
    let down = true
    registry.faults.push((_, response) => {
      if (down) send(response, 404, {}, '')
      return down
    })
    await using reach = openReach(options)
    const shared = { ...options, reach }
    await assert.rejects(push(place, registry.host, shared), { code: 'REGISTRY_NONE' })
    down = false
    for (const _ of [1, 2]) await push(place, registry.host, shared)
    assert.equal(registry.seen.filter(({ path }) => path === '/v2/').length, 2)
    for (const _ of [1, 2]) await push(place, registry.host, options)
    assert.equal(registry.seen.filter(({ path }) => path === '/v2/').length, 4)
  })
})

/** A proxy that hands everything on to one server, whatever host it is asked for. */
async function openProxy(behind: string): Promise<AsyncDisposable & { readonly url: string; readonly seen: string[] }> {
  const [hostname = '', port = ''] = behind.split(':')
  const seen: string[] = []
  const server = createServer((asked, answer) => {
    seen.push(`${asked.method} ${asked.url}`)
    const { pathname, search } = new URL(asked.url ?? '/', 'http://none')
    const next = sendRequest(
      { hostname, port, method: asked.method, path: pathname + search, headers: asked.headers },
      reply => reply.pipe(answer.writeHead(reply.statusCode ?? 502, reply.headers)),
    )
    next.on('error', () => answer.destroy())
    asked.pipe(next)
  })
  server.on('connect', (asked, socket) => {
    seen.push(`CONNECT ${asked.url}`)
    const next = connect(Number(port), hostname, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
    for (const end of [next, socket]) end.on('error', () => [next, socket].map(each => each.destroy()))
    next.pipe(socket).pipe(next)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
