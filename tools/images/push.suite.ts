import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makePlace } from '../../bin/testing/place.ts'
import { type Boathouse, openBoathouse } from './boathouse.ts'
import { type Login, writeHelper, writeIdentity, writeLogin, writeNothing } from './docker-config.ts'
import { type Front, startFront } from './front.ts'
import { needs, toPath } from './parts.ts'
import { runWell } from './program.ts'
import { startDockerRegistry, startReferrersRegistry, USER } from './registries.ts'

/** What `regatta push --json` tells, and `copy` and `pull` alike. */
interface Moved {
  readonly digest: string
  readonly uploadedBytes: number
  readonly layers: readonly { readonly digest: string; readonly reused: boolean }[]
}

/** What `regatta verify --json` tells, as far as it matters here. */
interface Verified {
  readonly ok: boolean
  readonly about: readonly object[]
  readonly platforms: readonly { readonly sbom: { readonly packages: readonly { readonly name: string }[] } }[]
  readonly run: { readonly record: { readonly params: object } | null }
}

/** A list of what is about an image. */
interface Listed {
  readonly manifests: readonly { readonly digest: string }[]
}

const UPLOADS = ['POST', 'PUT', 'PATCH']

describe('an image and registries', needs('docker-registry', 'registry', 'skopeo', 'validator'), () => {
  let boathouse: Boathouse
  let nobody: Login
  before(async () => {
    boathouse = await openBoathouse()
    nobody = writeNothing(boathouse.makeFolder('nobody'))
  })
  after(() => boathouse[Symbol.asyncDispose]())

  /** Runs a verb to its end; what it told. */
  async function move(args: readonly string[], login: Login = nobody): Promise<Moved> {
    const { code, err, out } = await boathouse.place.run([...args, '--json'], { env: login })
    assert.equal(code, 0, err + out)
    return JSON.parse(out) as Moved
  }

  it('is pushed: the digest alone on stdout, which skopeo finds under the tag', async () => {
    await using registry = await startDockerRegistry(boathouse.makeFolder('plain'))
    const { code, err, out } = await boathouse.place.run(['push', `${registry.host}/rowing/linear:first`], {
      env: nobody,
    })
    assert.equal(code, 0, err)
    assert.equal(out, `${boathouse.packed.digest}\n`)
    assert.equal(await inspect(`${registry.host}/rowing/linear:first`), boathouse.packed.digest)
  })

  it('is tagged with its version where no tag is given', async () => {
    await using registry = await startDockerRegistry(boathouse.makeFolder('version'))
    await move(['push', `${registry.host}/rowing/linear`])
    assert.equal(await inspect(`${registry.host}/rowing/linear:1`), boathouse.packed.digest)
  })

  it('sends nothing where all is there', async () => {
    await using registry = await startDockerRegistry(boathouse.makeFolder('twice'))
    await using front = await startFront(registry.host)
    const first = await move(['push', `${front.host}/rowing/linear:1`])
    assert.ok(first.layers.every(({ reused }) => !reused))
    assert.ok(first.uploadedBytes > 50e6)
    const asked = front.passed.length
    const second = await move(['push', `${front.host}/rowing/linear:1`])
    assert.equal(second.uploadedBytes, 0)
    assert.ok(second.layers.every(({ reused }) => reused))
    const later = front.passed.slice(asked)
    assert.ok(later.length > 0 && later.length < 10, `${later.length} requests`)
    assert.deepEqual(listUploads(later), [])
  })

  it('goes to a registry with passwords by the credentials of docker login', async () => {
    await using registry = await startDockerRegistry(boathouse.makeFolder('passwords'), { passwords: true })
    const login = writeLogin(boathouse.makeFolder('login'), registry.host)
    await move(['push', `${registry.host}/rowing/linear:1`], login)
    assert.equal(await inspect(`${registry.host}/rowing/linear:1`, CREDENTIALS), boathouse.packed.digest)
  })

  it('goes there by the credentials of a helper, which is asked for that host alone', async () => {
    await using registry = await startDockerRegistry(boathouse.makeFolder('helped'), { passwords: true })
    const { log, login } = writeHelper(boathouse.makeFolder('helper'), registry.host)
    await move(['push', `${registry.host}/rowing/linear:1`], login)
    const calls = readFileSync(log, 'utf8').trim().split('\n')
    assert.deepEqual([...new Set(calls)], [`get ${registry.host}`])
  })

  it('is refused there without credentials, by one clear error', async () => {
    await using registry = await startDockerRegistry(boathouse.makeFolder('refused'), { passwords: true })
    const target = ['push', `${registry.host}/rowing/linear:1`]
    const { code, err } = await boathouse.place.run(target, { env: nobody })
    assert.equal(code, 1)
    assert.match(err, /^error\[REGISTRY_[A-Z]+\] Cannot /m)
    assert.match(err, /login/)
  })

  it('goes past a token server, by a password and by an identity token', async () => {
    await using registry = await startDockerRegistry(boathouse.makeFolder('tokens'))
    await using front = await startFront(registry.host, { tokens: true })
    const target = (name: string): string => `${front.host}/rowing/${name}:1`
    const first = await move(['push', target('a')], writeLogin(boathouse.makeFolder('token-login'), front.host))
    assert.ok(front.given.includes('repository:rowing/a:pull,push'), front.given.join(' '))
    const identity = writeIdentity(boathouse.makeFolder('identity'), front.host, front.refreshToken)
    const second = await move(['push', target('b')], identity)
    assert.equal(first.digest, second.digest)
    assert.ok(front.passed.some(({ method, status, url }) => method === 'POST' && url === '/token' && status === 200))
    const denied = await boathouse.place.run(['push', target('c')], { env: nobody })
    assert.equal(denied.code, 1)
    // A password is for the token server: the registry behind sees none.
    const basic = front.passed.filter(({ scheme, url }) => scheme === 'Basic' && !url.startsWith('/token'))
    assert.deepEqual(basic, [])
  })

  it('is mounted from another repository of the registry, and not sent again', async () => {
    await using registry = await startDockerRegistry(boathouse.makeFolder('mounts'))
    await using front = await startFront(registry.host, { tokens: true })
    const login = writeLogin(boathouse.makeFolder('mount-login'), front.host)
    await move(['push', `${front.host}/rowing/a:1`], login)
    const asked = front.passed.length
    const copied = await move(['copy', `${front.host}/rowing/a:1`, `${front.host}/rowing/b:1`], login)
    assert.equal(copied.digest, boathouse.packed.digest)
    assert.ok(copied.layers.every(({ reused }) => reused))
    const mounts = front.passed.slice(asked).filter(({ status, url }) => url.includes('from=') && status === 201)
    assert.ok(mounts.length >= copied.layers.length, `${mounts.length} mounts`)
    const sent = front.passed.slice(asked).reduce((sum, { bytes }) => sum + bytes, 0)
    assert.ok(sent < 100_000, `${sent} bytes`)
  })

  for (const [how, start] of [
    ['the tag schema of a registry without the referrers API', startDockerRegistry],
    ['the referrers API', startReferrersRegistry],
  ] as const) {
    it(`is verified in a registry, and its lineage found by ${how}`, async () => {
      await using registry = await start(boathouse.makeFolder(`lineage-${start.name}`))
      const image = `${registry.host}/rowing/linear:1`
      // Twice: what is about the image is there once all the same.
      for (let times = 0; times < 2; times += 1) await move(['push', image])
      const { code, err, out } = await boathouse.place.run(['verify', image, '--json'], { env: nobody })
      assert.equal(code, 0, err + out)
      const { about, ok, platforms, run } = JSON.parse(out) as Verified
      assert.deepEqual([ok, about.length], [true, 2])
      assert.ok(run.record?.params !== undefined, 'the record of the run came with it')
      assert.ok(platforms[0]?.sbom.packages.some(({ name }) => name === 'onnxruntime-node'))
      const base = `http://${registry.host}/v2/rowing/linear`
      const api = await fetch(`${base}/referrers/${boathouse.packed.digest}`)
      assert.equal(api.status, start === startReferrersRegistry ? 200 : 404)
      const accept = 'application/vnd.oci.image.index.v1+json'
      const tag = `${base}/manifests/${boathouse.packed.digest.replace(':', '-')}`
      const list = (await (api.ok ? api : await fetch(tag, { headers: { accept } })).json()) as Listed
      assert.equal(new Set(list.manifests.map(({ digest }) => digest)).size, 2)
      assert.equal(list.manifests.length, 2)
    })
  }

  it('is packed and pushed by one command', async () => {
    await using registry = await startDockerRegistry(boathouse.makeFolder('at-once'))
    const env = { ...nobody, REGATTA_IMAGE_REPOSITORY: `${registry.host}/rowing/linear` }
    const { code, err, out } = await boathouse.place.run(['pack', '--push', '--json'], { env })
    assert.equal(code, 0, err)
    const { digest, reference, uploadedBytes } = JSON.parse(out) as Moved & { readonly reference: string }
    assert.deepEqual([digest, reference], [boathouse.packed.digest, `${registry.host}/rowing/linear:1`])
    assert.ok(uploadedBytes > 50e6, `${uploadedBytes} bytes`)
    assert.equal(await inspect(reference), digest)
  })

  it('brings the image without a model that gateway and control run, once', async () => {
    await using registry = await startDockerRegistry(boathouse.makeFolder('runtime'))
    const env = { ...nobody, REGATTA_IMAGE_REPOSITORY: `${registry.host}/rowing/linear` }
    const push = async (): Promise<string> => (await boathouse.place.run(['push'], { env })).err
    const [, reference = ''] = /pushed (\S+:regatta-\S+), which/.exec(await push()) ?? []
    const layout = boathouse.makeFolder('runtime-layout')
    await runWell(toPath('skopeo'), [
      'copy',
      '-q',
      '--src-tls-verify=false',
      `docker://${reference}`,
      `oci:${layout}:r`,
    ])
    await runWell(toPath('validator'), [layout])
    assert.doesNotMatch(await push(), /regatta-/)
  })

  it('is pulled into another project: a version there, valid as it was', async () => {
    await using registry = await startDockerRegistry(boathouse.makeFolder('pulled'))
    await move(['push', `${registry.host}/rowing/linear:1`])
    await using other = makePlace('name: linear\n', { fresh: true })
    const { code, err, out } = await other.run(['pull', `${registry.host}/rowing/linear:1`], { env: nobody })
    assert.equal(code, 0, err)
    assert.equal(out, `${boathouse.packed.digest}\n`)
    const layout = join(other.folder, '.regatta', 'oci')
    await runWell(toPath('validator'), [layout])
    assert.equal(await runWell(toPath('skopeo'), ['inspect', ...DIGEST, `oci:${layout}:linear:1`]), out.trim())
  })

  it('is pulled where skopeo pushed it, and copied on by skopeo where regatta pushed it', async () => {
    await using registry = await startDockerRegistry(boathouse.makeFolder('skopeo'))
    await using other = await startReferrersRegistry(boathouse.makeFolder('skopeo-to'))
    const [pushed, copied] = [`${registry.host}/rowing/skopeo:1`, `${other.host}/rowing/linear:1`]
    const skopeo = ['copy', '--quiet', '--src-tls-verify=false', '--dest-tls-verify=false']
    await runWell(toPath('skopeo'), [...skopeo, boathouse.source, `docker://${pushed}`])
    const layout = `oci:${join(boathouse.makeFolder('skopeo-from'), 'layout')}:linear`
    assert.equal((await move(['copy', pushed, layout])).digest, boathouse.packed.digest)
    await move(['push', `${registry.host}/rowing/regatta:1`])
    await runWell(toPath('skopeo'), [...skopeo, `docker://${registry.host}/rowing/regatta:1`, `docker://${copied}`])
    assert.equal(await inspect(copied), boathouse.packed.digest)
  })

  it('is copied from registry to registry', async () => {
    await using from = await startDockerRegistry(boathouse.makeFolder('copy-from'))
    await using to = await startReferrersRegistry(boathouse.makeFolder('copy-to'))
    await move(['push', `${from.host}/rowing/linear:1`])
    const copied = await move(['copy', `${from.host}/rowing/linear:1`, `${to.host}/mirror/linear:1`])
    assert.equal(copied.digest, boathouse.packed.digest)
    assert.equal(await inspect(`${to.host}/mirror/linear:1`), boathouse.packed.digest)
  })

  it('leaves no tag when Ctrl-C comes in the middle, and goes through the next time', async () => {
    await using registry = await startDockerRegistry(boathouse.makeFolder('interrupted'))
    await using slow: Front = await startFront(registry.host, { stallAfterBytes: 1 << 20 })
    const interrupt = new AbortController()
    const target = (host: string): string => `${host}/rowing/linear:1`
    const pushing = boathouse.place.run(['push', target(slow.host)], { env: nobody, signal: interrupt.signal })
    await slow.stalled
    interrupt.abort()
    const { code, out } = await pushing
    assert.equal(code, 130)
    assert.equal(out, '')
    assert.equal((await fetch(`http://${registry.host}/v2/rowing/linear/manifests/1`)).status, 404)
    await move(['push', target(registry.host)])
    assert.equal(await inspect(target(registry.host)), boathouse.packed.digest)
  })
})

const DIGEST = ['--format', '{{.Digest}}'] as const
const CREDENTIALS = ['--creds', `${USER.name}:${USER.password}`] as const

/** The digest of an image in a registry, as skopeo sees it. */
async function inspect(image: string, options: readonly string[] = []): Promise<string> {
  return await runWell(toPath('skopeo'), ['inspect', '--tls-verify=false', ...options, ...DIGEST, `docker://${image}`])
}

function listUploads(passed: Front['passed']): readonly string[] {
  return passed.filter(({ method }) => UPLOADS.includes(method)).map(({ method, url }) => `${method} ${url}`)
}
