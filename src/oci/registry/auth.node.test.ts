import assert from 'node:assert/strict'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { copyImage, type Moved, parseReference, pushImage } from '../index.ts'
import { openTestPlace, type TestPlace, toTestOptions, writeTestImage } from './testing/image.ts'
import { type Fault, openTestRegistry, readBody, send, sendError, type TestRegistry } from './testing/registry.ts'

const never = new AbortController().signal
const USER = { name: 'rower', password: 'oar:and blade' } as const
const BASIC = `Basic ${Buffer.from(`${USER.name}:${USER.password}`).toString('base64')}`

/** One request for a token: its scopes, and how it was asked for. */
interface TokenAsk {
  readonly scopes: readonly string[]
  readonly method: string | undefined
  readonly authorization: string | undefined
  readonly form: URLSearchParams
}

interface Case extends AsyncDisposable {
  readonly registry: TestRegistry
  readonly place: TestPlace
  readonly asks: TokenAsk[]
  /** Writes a file of credentials where Docker keeps them. */
  readonly writeConfig: (config: unknown) => Promise<void>
  readonly push: (name?: string) => Promise<Moved>
}

/** A registry that lets nobody in without what `fault` wants, with credentials in a folder. */
async function openCase(toFault?: (it: Omit<Case, 'push'>) => Fault): Promise<Case> {
  const registry = await openTestRegistry()
  const place = await openTestPlace()
  const writeConfig = (config: unknown): Promise<void> =>
    writeFile(join(place.folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config))
  const it = { registry, place, asks: [], writeConfig, [Symbol.asyncDispose]: async () => undefined }
  if (toFault !== undefined) registry.faults.push(toFault(it))
  const image = await writeTestImage(place.layout, [10, 20])
  return {
    ...it,
    push: async (name = 'team/forecast') =>
      await pushImage(
        place.layout,
        image.digest,
        parseReference(`${registry.host}/${name}:1`),
        toTestOptions(place.folder),
        never,
      ),
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]()
      await place[Symbol.asyncDispose]()
    },
  }
}

/** Wants a password with every request. */
const askBasic = (): Fault => (request, response) => {
  if (request.headers.authorization === BASIC) return false
  request.resume()
  const headers = { 'www-authenticate': 'Basic realm="boathouse"' }
  send(response, 401, headers, '{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}')
  return true
}

interface TokenOptions {
  /** What a token server gives; `undefined` gives `token-N`. */
  readonly give?: (ask: TokenAsk, request: IncomingMessage, response: ServerResponse) => unknown
  /** Whether a request with this token may pass. */
  readonly takes?: (token: string, request: IncomingMessage) => boolean
}

/** Wants a token with every request, which `/token` gives. */
const askToken =
  ({ give = () => undefined, takes = token => token.startsWith('token-') }: TokenOptions = {}) =>
  ({ asks, registry }: Omit<Case, 'push'>): Fault =>
  async (request, response, url) => {
    if (url.pathname === '/token') {
      const { authorization } = request.headers
      const form = new URLSearchParams((await readBody(request)).toString())
      const scopes = [...url.searchParams.getAll('scope'), ...(form.get('scope')?.split(' ') ?? [])]
      const ask = { scopes, method: request.method, authorization, form }
      asks.push(ask)
      if (give(ask, request, response) === undefined) {
        send(response, 200, {}, JSON.stringify({ access_token: `token-${asks.length}`, expires_in: 300 }))
      }
      return true
    }
    if (takes((request.headers.authorization ?? '').replace('Bearer ', ''), request)) return false
    request.resume()
    const challenge = `Bearer realm="${registry.url}/token",service="boathouse",scope="repository:team/forecast:pull"`
    sendError(response.setHeader('www-authenticate', challenge), 401, 'UNAUTHORIZED', '')
    return true
  }

const toAuths = (it: Case, entry: object): object => ({ auths: { [it.registry.host]: entry } })
const LOGIN = { auth: Buffer.from(`${USER.name}:${USER.password}`).toString('base64') }

describe('pushImage() where credentials are wanted', () => {
  it('sends the password of docker login, and none to a registry that does not ask', async () => {
    await using it = await openCase(askBasic)
    await it.writeConfig(toAuths(it, LOGIN))
    await it.push()
    await using open = await openCase()
    await open.writeConfig(toAuths(open, LOGIN))
    await open.push()
    assert.ok(open.registry.seen.every(({ headers }) => headers.authorization === undefined))
  })

  for (const [name, entry] of [
    ['username and password', { username: USER.name, password: USER.password }],
    [
      'an auth that ends in NUL, as old Dockers wrote it',
      { auth: Buffer.from(`${USER.name}:${USER.password}\0`).toString('base64') },
    ],
  ] as const) {
    it(`reads ${name}`, async () => {
      await using it = await openCase(askBasic)
      await it.writeConfig(toAuths(it, entry))
      await it.push()
    })
  }

  it('reads those of skopeo login, for a part of the registry too', async () => {
    await using it = await openCase(askBasic)
    await mkdir(join(it.place.folder, 'containers'))
    const auths = { [`${it.registry.host}/team`]: LOGIN, [it.registry.host]: { auth: 'bm86Ym9keQ==' } }
    await writeFile(join(it.place.folder, 'containers', 'auth.json'), JSON.stringify({ auths }))
    await it.push()
  })

  it('asks for a token with the scopes that it needs, those of a mount too', async () => {
    await using it = await openCase(askToken())
    await it.writeConfig(toAuths(it, LOGIN))
    await it.push()
    assert.deepEqual(
      it.asks.map(({ authorization, method, scopes }) => [method, authorization, scopes]),
      [['GET', BASIC, ['repository:team/forecast:pull,push', 'repository:team/forecast:pull']]],
    )
    // Behind the token the password is nobody's business.
    assert.ok(
      it.registry.seen.every(({ headers, path }) => path.startsWith('/token') || headers.authorization !== BASIC),
    )
    const options = toTestOptions(it.place.folder)
    const place = (name: string) =>
      ({ kind: 'registry', reference: parseReference(`${it.registry.host}/team/${name}:1`) }) as const
    // The challenge names the first repository, whatever is asked for: the others are known from the copy alone.
    for (const [from, to] of [
      ['forecast', 'copy'],
      ['copy', 'third'],
    ] as const) {
      const copied = await copyImage(place(from), place(to), options, never)
      assert.deepEqual([...new Set(copied.layers.map(({ how }) => how))], ['mounted'])
      const scopes = it.asks.at(-1)?.scopes.slice(0, 2)
      assert.deepEqual(scopes, [`repository:team/${to}:pull,push`, `repository:team/${from}:pull`])
    }
  })

  it('asks as nobody where there are no credentials', async () => {
    await using it = await openCase(askToken())
    await it.push()
    assert.deepEqual(
      it.asks.map(({ authorization }) => authorization),
      [undefined],
    )
  })

  it('asks for what it needs most where the token server refuses the rest', async () => {
    await using it = await openCase(
      askToken({
        give: ({ scopes }, _, response) => (scopes.length > 1 ? sendError(response, 403, 'DENIED', '') : undefined),
      }),
    )
    await it.push()
    assert.deepEqual(it.asks.at(-1)?.scopes, ['repository:team/forecast:pull,push'])
  })

  it('takes another token where one has expired', async () => {
    let uses = 0
    const takes = (token: string): boolean => token === 'token-2' || (token === 'token-1' && ++uses <= 3)
    await using it = await openCase(askToken({ takes }))
    await it.push()
    assert.equal(it.asks.length, 2)
  })

  for (const [name, entry] of [
    ['an identity token', { auth: '', identitytoken: 'refresh' }],
    ['a token in place of a password', { username: '<token>', password: 'refresh' }],
  ] as const) {
    it(`exchanges ${name}`, async () => {
      await using it = await openCase(askToken())
      await it.writeConfig(toAuths(it, entry))
      await it.push()
      const [ask] = it.asks
      assert.deepEqual(
        [ask?.method, ask?.form.get('grant_type'), ask?.form.get('refresh_token'), ask?.form.get('service')],
        ['POST', 'refresh_token', 'refresh', 'boathouse'],
      )
    })
  }

  it('sends a registry token as it is', async () => {
    await using it = await openCase(askToken({ takes: token => token === 'given' }))
    await it.writeConfig(toAuths(it, { registrytoken: 'given' }))
    await it.push()
    assert.deepEqual(it.asks, [])
  })

  it('gives up on a registry that takes no token at all, by one clear error', async () => {
    await using it = await openCase(askToken({ takes: () => false }))
    await assert.rejects(it.push(), { code: 'REGISTRY_AUTH', fix: /docker login/ })
    assert.ok(it.asks.length <= 3, `${it.asks.length} tokens`)
    assert.equal(it.registry.tags.size, 0)
  })

  for (const [name, body] of [
    ['a page', '<html>sign in</html>'],
    ['nothing of use', '{"expires_in":60}'],
    ['a token of two lines', '{"token":"a\\nb"}'],
  ] as const) {
    it(`gives up on a token server that gives ${name}`, async () => {
      await using it = await openCase(askToken({ give: (_, __, response) => send(response, 200, {}, body) }))
      await assert.rejects(it.push(), { message: /Cannot get a token for the registry/ })
    })
  }

  it('never shows a secret in an error', async () => {
    await using it = await openCase(
      askToken({ give: (_, __, response) => sendError(response, 401, 'UNAUTHORIZED', '') }),
    )
    await it.writeConfig(toAuths(it, LOGIN))
    await assert.rejects(it.push(), (error: Error) => {
      assert.ok(!`${error.message}${error.stack}`.includes(LOGIN.auth) && !error.message.includes(USER.password))
      return true
    })
  })
})

describe('pushImage() with a credential helper', () => {
  async function pushWith(script: string, config: (host: string) => object): Promise<Case> {
    const it = await openCase(askBasic)
    const helper = join(it.place.folder, 'docker-credential-boathouse')
    await writeFile(helper, `#!/bin/sh\n${script}\n`)
    await chmod(helper, 0o755)
    await it.writeConfig(config(it.registry.host))
    const [entry] = await it.place.layout.list()
    const env = { PATH: `${it.place.folder}:${process.env['PATH']}` }
    const target = parseReference(`${it.registry.host}/team/forecast:1`)
    try {
      await pushImage(
        it.place.layout,
        entry?.digest ?? assert.fail(),
        target,
        toTestOptions(it.place.folder, env),
        never,
      )
      return it
    } catch (error) {
      await it[Symbol.asyncDispose]()
      throw error
    }
  }
  const told = `echo '{"Username":"${USER.name}","Secret":"${USER.password}"}'`
  const own = (host: string): object => ({ credHelpers: { [host]: 'boathouse' }, credsStore: 'another' })

  it('asks the one of the registry, else the one of all', async () => {
    for (const config of [own, () => ({ credsStore: 'boathouse' })]) {
      await using it = await pushWith(`read -r host; [ "$1" = get ] && ${told}`, config)
      assert.equal(it.registry.tags.size, 1)
    }
  })

  it('reads the file where the helper knows nothing', async () => {
    const nothing = 'echo "credentials not found in native keychain"; exit 1'
    await using it = await pushWith(nothing, host => ({ ...own(host), auths: { [host]: LOGIN } }))
    assert.equal(it.registry.tags.size, 1)
  })

  for (const [name, script, message] of [
    ['fails', 'echo a secret; exit 3', /exit code 3/],
    ['prints no JSON', 'echo a secret', /not JSON/],
    ['prints too much', 'yes a secret', /docker-credential-boathouse/],
    ['prints another document', `echo '{"Secret":"a secret"}'`, /no "Username" and "Secret"/],
  ] as const) {
    it(`names one that ${name}, and shows nothing that it prints`, async () => {
      await assert.rejects(pushWith(script, own), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'CREDENTIALS')
        assert.match(error.message, message)
        assert.ok(!error.message.includes('a secret'))
        return true
      })
    })
  }

  it('names one that is not there, or that has no name for a program', async () => {
    await using it = await openCase(askBasic)
    for (const name of ['nowhere', '../../bin/sh']) {
      await it.writeConfig({ credsStore: name })
      await assert.rejects(it.push(), { code: 'CREDENTIALS' })
    }
  })
})

describe('readCredentials()', () => {
  for (const [name, config] of [
    ['is no JSON', '{"auths":{"secret'],
    ['is no object', '"secret"'],
    ['has an auth that is no base64 of USER:PASSWORD', undefined],
  ] as const) {
    it(`names a file that ${name}, and shows nothing of it`, async () => {
      await using it = await openCase(askBasic)
      await it.writeConfig(config ?? toAuths(it, { auth: 'secret' }))
      await assert.rejects(it.push(), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'CREDENTIALS')
        assert.match(error.message, /config\.json/)
        assert.ok(!error.message.includes('secret'))
        return true
      })
    })
  }
})
