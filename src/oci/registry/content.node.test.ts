import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import { type Moved, type PullOptions, parseReference, pullImage, pushImage } from '../index.ts'
import { MEDIA_TYPES } from '../manifest.ts'
import { openTestPlace, type TestPlace, toTestOptions, writeTestImage } from './testing/image.ts'
import { type Fault, openTestRegistry, send, type TestRegistry } from './testing/registry.ts'

const never = new AbortController().signal
const MB = 1_000_000
const BLOB = /\/blobs\/sha256/
const MANIFEST = /\/manifests\//

interface Case extends AsyncDisposable {
  readonly registry: TestRegistry
  readonly place: TestPlace
  /** The digest of the one layer. */
  readonly layer: string
  readonly pull: (options?: Partial<PullOptions>) => Promise<Moved>
}

/** A registry that has an image of one layer as `team/forecast:1`, and errs when it is read. */
async function openCase(sizeBytes: number, ...faults: readonly Fault[]): Promise<Case> {
  const registry = await openTestRegistry()
  const reference = parseReference(`${registry.host}/team/forecast:1`)
  await using from = await openTestPlace()
  const image = await writeTestImage(from.layout, [sizeBytes])
  const pushed = await pushImage(from.layout, image.digest, reference, toTestOptions(from.folder), never)
  registry.faults.push(...faults)
  registry.seen.length = 0
  const place = await openTestPlace()
  return {
    registry,
    place,
    layer: pushed.layers[0]?.digest ?? assert.fail(),
    async pull(options = {}) {
      const moved = await pullImage(reference, place.layout, { ...toTestOptions(place.folder), ...options }, never)
      // A pull that says it is done has left an image that is whole.
      assert.equal(moved.digest, image.digest)
      for (const { digest } of moved.layers) for await (const _ of place.layout.openBlob(digest));
      return moved
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]()
      await place[Symbol.asyncDispose]()
    },
  }
}

/** Answers GETs of what matches, as often as `times` says. */
function onGet(times: number, path: RegExp, act: (...given: Parameters<Fault>) => unknown): Fault {
  let left = times
  return async (request, response, url) => {
    if (left === 0 || request.method !== 'GET' || !path.test(url.pathname)) return false
    left -= 1
    await act(request, response, url)
    return true
  }
}

/** Sends the first half of the layer, and breaks off. */
function breakOff({ layer, registry }: Case, response: ServerResponse): void {
  const content = registry.blobs.get(layer) ?? Buffer.alloc(0)
  response.writeHead(200, { 'content-length': content.length })
  response.write(content.subarray(0, content.length / 2), () => setTimeout(() => response.destroy(), 20))
}

const toRanges = (registry: TestRegistry): readonly (string | undefined)[] =>
  registry.seen.filter(({ headers, path }) => BLOB.test(path) && headers.range !== undefined).map(s => s.headers.range)

describe('pullImage() from a registry that errs', () => {
  it('goes on from where the connection broke off', async () => {
    let times = 0
    await using it: Case = await openCase(3 * MB, (_, response, url) => {
      if (!url.pathname.endsWith(it.layer) || ++times > 1) return false
      breakOff(it, response)
      return true
    })
    await it.pull()
    const [range] = toRanges(it.registry)
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1])
    assert.ok(from > 0 && from <= 1.5 * MB, range)
  })

  it('skips what it has where the registry sends all again', async () => {
    let times = 0
    await using it: Case = await openCase(3 * MB, (_, response, url) => {
      if (!url.pathname.endsWith(it.layer)) return false
      times += 1
      if (times === 1) breakOff(it, response)
      else send(response, 200, {}, it.registry.blobs.get(it.layer))
      return true
    })
    await it.pull()
    assert.equal(times, 2)
  })

  it('gives up on a registry that breaks off every time', async () => {
    await using it: Case = await openCase(
      MB,
      onGet(99, BLOB, (_, response) => response.destroy()),
    )
    await assert.rejects(it.pull(), { code: 'REGISTRY_UNREACHABLE' })
    assert.deepEqual(await it.place.layout.list(), [])
  })

  it('refuses a blob that is another, is longer, or ends early', async () => {
    for (const change of [
      (content: Buffer) => Buffer.alloc(content.length, 'x'),
      (content: Buffer) => Buffer.concat([content, Buffer.from('x')]),
      (content: Buffer) => content.subarray(1),
    ]) {
      await using it: Case = await openCase(1000, (_, response, url) => {
        if (!url.pathname.endsWith(it.layer)) return false
        send(response, 200, {}, change(it.registry.blobs.get(it.layer) ?? Buffer.alloc(0)))
        return true
      })
      await assert.rejects(it.pull(), { code: 'REGISTRY_DIGEST', message: new RegExp(it.layer) })
      assert.deepEqual(await it.place.layout.list(), [])
    }
  })

  it('refuses a manifest that is not of the digest that the registry says', async () => {
    await using it = await openCase(
      9,
      onGet(1, MANIFEST, (_, response) =>
        send(
          response,
          200,
          { 'content-type': MEDIA_TYPES.manifest, 'docker-content-digest': `sha256:${'0'.repeat(64)}` },
          it.registry.blobs.get(it.registry.tags.get('team/forecast:1') ?? ''),
        ),
      ),
    )
    await assert.rejects(it.pull(), { code: 'REGISTRY_DIGEST', message: /expected sha256:0000/ })
  })

  it('takes answers without a digest', async () => {
    await using it = await openCase(9, (_request, response) => {
      const write = response.writeHead.bind(response)
      response.writeHead = ((status: number, headers: Record<string, string>) => {
        const { 'docker-content-digest': _, ...rest } = headers
        return write(status, rest)
      }) as typeof response.writeHead
      return false
    })
    await it.pull()
  })

  for (const [name, body, code] of [
    ['a web page', '<!doctype html><title>Sign in</title>', 'REGISTRY_NONE'],
    ['no JSON', '{"schemaVersion":2', 'MANIFEST'],
    ['a document of version 1', '{"schemaVersion":1}', 'MANIFEST'],
  ] as const) {
    it(`refuses ${name} for a manifest`, async () => {
      const type = body.startsWith('<') ? 'text/html' : MEDIA_TYPES.manifest
      await using it = await openCase(
        9,
        onGet(1, MANIFEST, (_, response) => send(response, 200, { 'content-type': type }, body)),
      )
      await assert.rejects(it.pull(), { code })
    })
  }

  it('refuses a manifest that comes as another media type', async () => {
    await using it = await openCase(
      9,
      onGet(1, MANIFEST, (_, response) =>
        send(
          response,
          200,
          { 'content-type': MEDIA_TYPES.index },
          it.registry.blobs.get(it.registry.tags.get('team/forecast:1') ?? ''),
        ),
      ),
    )
    await assert.rejects(it.pull(), { code: 'MANIFEST', message: /media type/ })
  })

  for (const [name, path] of [
    ['a manifest', MANIFEST],
    ['a blob', BLOB],
  ] as const) {
    it(`gives up on ${name} that comes a byte at a time`, async () => {
      await using it = await openCase(
        MB,
        onGet(99, path, (_, response) => {
          response.writeHead(200, { 'content-type': MEDIA_TYPES.manifest })
          const drip = setInterval(() => response.write('.'), 10)
          response.on('close', () => clearInterval(drip))
        }),
      )
      const wish = { patienceMs: 150, retry: { attempts: 2, firstMs: 1 } }
      await assert.rejects(it.pull(wish), { code: 'REGISTRY_SLOW' })
    })
  }

  it('says that the image is not there', async () => {
    await using it = await openCase(9)
    it.registry.tags.clear()
    await assert.rejects(it.pull(), { code: 'REGISTRY_MISSING', message: /team\/forecast:1/ })
  })

  it('names the platforms that an index has, where the wished one is not among them', async () => {
    await using it = await openCase(9)
    const [digest = ''] = [...it.registry.tags.values()]
    const content = it.registry.blobs.get(digest) ?? assert.fail()
    const platform = { os: 'linux', architecture: 's390x' }
    const entry = { mediaType: MEDIA_TYPES.manifest, digest, size: content.length, platform }
    const index = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [entry] })
    it.registry.faults.push(
      onGet(1, MANIFEST, (_, response) => send(response, 200, { 'content-type': MEDIA_TYPES.index }, index)),
    )
    await assert.rejects(it.pull({ platform: { os: 'linux', architecture: 'amd64' } }), {
      code: 'PLATFORM_NONE',
      message: /linux\/amd64.*linux\/s390x/,
    })
  })
})

describe('openExchange()', () => {
  for (const [name, status, body, type] of [
    ['a web page', 200, '<html>welcome</html>', 'text/html; charset=utf-8'],
    ['another service', 404, '404 page not found', 'text/plain'],
    ['a page of an error', 401, '<html>who are you</html>', 'text/html'],
  ] as const) {
    it(`tells ${name} from a registry`, async () => {
      await using it = await openCase(9, (_request, response) => {
        send(response, status, { 'content-type': type }, body)
        return true
      })
      await assert.rejects(it.pull(), { code: 'REGISTRY_NONE', fix: /host and the port/ })
    })
  }
})
