import assert from 'node:assert/strict'
import { rm, truncate, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { toBlobPath } from '../blobs.node.ts'
import { type Moved, type PushOptions, parseReference, pushImage } from '../index.ts'
import { openTestPlace, type TestPlace, toTestOptions, writeTestImage } from './testing/image.ts'
import { type Fault, openTestRegistry, readBody, send, sendError, type TestRegistry } from './testing/registry.ts'

const never = new AbortController().signal
const MB = 1_000_000

interface Case extends AsyncDisposable {
  readonly registry: TestRegistry
  readonly place: TestPlace
  readonly push: (sizes: readonly number[], options?: Partial<PushOptions>, signal?: AbortSignal) => Promise<Moved>
}

async function openCase(...faults: readonly Fault[]): Promise<Case> {
  const registry = await openTestRegistry()
  const place = await openTestPlace()
  registry.faults.push(...faults)
  return {
    registry,
    place,
    async push(sizes, options = {}, signal = never) {
      const image = await writeTestImage(place.layout, sizes)
      const target = parseReference(`${registry.host}/team/forecast:1`)
      const moved = await pushImage(
        place.layout,
        image.digest,
        target,
        { ...toTestOptions(place.folder), ...options },
        signal,
      )
      // A push that says it is done has left an image that is whole.
      assert.equal(registry.tags.get('team/forecast:1'), image.digest)
      for (const { digest, size } of moved.layers) assert.equal(registry.blobs.get(digest)?.length, size)
      assert.equal(registry.sessions.size, 0)
      return moved
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]()
      await place[Symbol.asyncDispose]()
    },
  }
}

/** Does something to the first `times` requests that match. */
function onFirst(
  times: number,
  method: string,
  path: RegExp,
  act: (
    request: IncomingMessage,
    ...rest: Parameters<Fault> extends [unknown, ...infer more] ? more : never
  ) => unknown,
): Fault {
  let left = times
  return async (request, response, url) => {
    if (left === 0 || request.method !== method || !path.test(request.url ?? '')) return false
    left -= 1
    await act(request, response, url)
    return true
  }
}

const UPLOAD = /\/blobs\/uploads\//

describe('pushImage() to a registry that errs', () => {
  it('sends nothing twice', async () => {
    await using it = await openCase()
    await it.push([1000, 2000])
    const before = it.registry.seen.length
    const image = await it.place.layout.list()
    const again = await pushImage(
      it.place.layout,
      image[0]?.digest ?? assert.fail(),
      parseReference(`${it.registry.host}/team/forecast:1`),
      toTestOptions(it.place.folder),
      never,
    )
    assert.deepEqual(
      again.layers.map(({ how }) => how),
      ['reused', 'reused'],
    )
    assert.equal(again.uploadedBytes, 0)
    assert.equal(
      it.registry.seen.slice(before).some(({ method }) => method !== 'GET' && method !== 'HEAD'),
      false,
    )
  })

  for (const status of [429, 500, 503]) {
    it(`waits and comes back after ${status}`, async () => {
      await using it = await openCase(
        onFirst(2, 'POST', UPLOAD, (_, response) => send(response, status, { 'retry-after': '0' }, 'later')),
        onFirst(1, 'PUT', /manifests/, (request, response) =>
          readBody(request).then(() => send(response, status, {}, '')),
        ),
        onFirst(1, 'PUT', UPLOAD, (request, response) => readBody(request).then(() => send(response, status, {}, ''))),
      )
      await it.push([MB])
    })
  }

  it('waits as long as Retry-After says', async () => {
    await using it = await openCase(
      onFirst(1, 'HEAD', /blobs/, (_, response) => send(response, 429, { 'retry-after': '1' }, '')),
    )
    const { seconds } = await it.push([])
    assert.ok(seconds >= 1)
  })

  it('gives up where it is to wait too long, and says so', async () => {
    await using it = await openCase(
      onFirst(9, 'POST', UPLOAD, (_, response) => send(response, 429, { 'retry-after': '3600' }, '')),
    )
    await assert.rejects(it.push([9]), { code: 'REGISTRY_BUSY', message: /429/ })
  })

  it('gives up after a few attempts', async () => {
    await using it = await openCase(
      onFirst(99, 'POST', UPLOAD, (_, response) => send(response, 503, {}, 'down for <b>repair</b>')),
    )
    await assert.rejects(it.push([9]), { code: 'REGISTRY_ANSWER', message: /503: down for/ })
    assert.ok(it.registry.seen.filter(({ method }) => method === 'POST').length <= 8)
    assert.equal(it.registry.tags.size, 0)
  })

  it('goes on from where the connection broke off', async () => {
    let kept = 0
    await using it = await openCase(async (request, response, url) => {
      if (kept > 0 || request.method !== 'PUT' || Number(request.headers['content-length']) < MB) return false
      const id = url.pathname.split('/').at(-1) ?? ''
      for await (const chunk of request) {
        kept += chunk.length
        it.registry.sessions.set(id, Buffer.concat([it.registry.sessions.get(id) ?? Buffer.alloc(0), chunk]))
        if (kept > MB) break
      }
      response.destroy()
      return true
    })
    await it.push([3 * MB])
    const patches = it.registry.seen.filter(({ method }) => method === 'PATCH')
    assert.deepEqual(
      patches.map(({ headers }) => headers['content-range']),
      [`${kept}-${3 * MB - 1}`],
    )
  })

  it('begins again where the registry forgot what it had', async () => {
    await using it = await openCase(
      onFirst(2, 'PUT', UPLOAD, (request, response, url) => {
        it.registry.sessions.delete(url.pathname.split('/').at(-1) ?? '')
        request.once('data', () => response.destroy())
      }),
    )
    await it.push([3 * MB])
  })

  it('gives up on a registry that drops every connection', async () => {
    await using it = await openCase(
      onFirst(99, 'PUT', UPLOAD, (_, response) => response.destroy()),
      onFirst(99, 'PATCH', UPLOAD, (_, response) => response.destroy()),
    )
    await assert.rejects(it.push([MB]), { code: 'REGISTRY_UNREACHABLE' })
    assert.equal(it.registry.tags.size, 0)
  })

  for (const early of [true, false]) {
    it(`sends chunks where a whole blob is too large (413 ${early ? 'at once' : 'after the body'})`, async () => {
      await using it = await openCase(async (request, response) => {
        const length = Number(request.headers['content-length'] ?? 0)
        if (!UPLOAD.test(request.url ?? '') || length <= 2 ** 20 * 4) return false
        if (!early) await readBody(request)
        send(response, 413, { connection: 'close' }, 'too large')
        return true
      })
      await it.push([6 * MB])
      assert.ok(it.registry.seen.filter(({ method }) => method === 'PATCH').length >= 3)
    })
  }

  it('says so where even small chunks are too large', async () => {
    await using it = await openCase(
      onFirst(99, 'PUT', UPLOAD, (request, response) => readBody(request).then(() => send(response, 413, {}, ''))),
      onFirst(99, 'PATCH', UPLOAD, (request, response) => readBody(request).then(() => send(response, 413, {}, ''))),
    )
    await assert.rejects(it.push([MB]), { code: 'REGISTRY_ANSWER', message: /413/ })
  })

  it('keeps to OCI-Chunk-Min-Length', async () => {
    const minimum = 6 * MB
    await using it = await openCase(
      onFirst(9, 'PUT', UPLOAD, async (request, response, url) => {
        const content = await readBody(request)
        if (content.length > 0) return send(response, 413, {}, '')
        const id = url.pathname.split('/').at(-1) ?? ''
        const digest = url.searchParams.get('digest') ?? ''
        it.registry.blobs.set(digest, it.registry.sessions.get(id) ?? content)
        it.registry.repositories.get('team/forecast')?.add(digest)
        it.registry.sessions.delete(id)
        return send(response, 201, {}, '')
      }),
      async (request, response) => {
        if (request.method !== 'PATCH' || Number(request.headers['content-length']) <= 7 * MB) return false
        await readBody(request)
        send(response, 413, {}, '')
        return true
      },
      (request, response) => {
        if (request.method === 'POST') response.setHeader('oci-chunk-min-length', String(minimum))
        return false
      },
    )
    await it.push([20 * MB])
    const lengths = it.registry.seen
      .filter(({ method }) => method === 'PATCH')
      .map(({ headers }) => Number(headers['content-length']))
      // The config goes in one small piece.
      .filter(length => length > MB)
    assert.ok(lengths.slice(0, -1).every(length => length >= minimum))
    assert.ok(lengths.includes(minimum))
  })

  it('asks where to go on after 416', async () => {
    const ranges: (string | undefined)[] = []
    await using it = await openCase(
      onFirst(1, 'PUT', UPLOAD, (request, response) => readBody(request).then(() => send(response, 413, {}, ''))),
      (request, response, url) => {
        if (request.method !== 'PATCH') return false
        ranges.push(request.headers['content-range'])
        if (ranges.length > 1) return false
        // Another hand has written half a megabyte already.
        request.resume()
        const id = url.pathname.split('/').at(-1) ?? ''
        const range = ranges[0] ?? ''
        assert.match(range, /^0-/)
        it.registry.sessions.set(id, content.subarray(0, MB / 2))
        send(response, 416, {}, undefined)
        return true
      },
    )
    const image = await writeTestImage(it.place.layout, [MB])
    const layer = (await it.place.layout.readManifest(image.digest)).layers[0] ?? assert.fail()
    const content = Buffer.from(await it.place.layout.readBlob(layer.digest))
    // Only the layer meets the faults.
    const config = (await it.place.layout.readManifest(image.digest)).config
    it.registry.blobs.set(config.digest, Buffer.from(await it.place.layout.readBlob(config.digest)))
    it.registry.repositories.set('team/forecast', new Set([config.digest]))
    await pushImage(
      it.place.layout,
      image.digest,
      parseReference(`${it.registry.host}/team/forecast:1`),
      toTestOptions(it.place.folder),
      never,
    )
    assert.deepEqual(ranges, [`0-${MB - 1}`, `${MB / 2}-${MB - 1}`])
    assert.deepEqual(it.registry.blobs.get(layer.digest), content)
  })

  it('gives up on a registry that answers 416 to everything', async () => {
    await using it = await openCase(
      onFirst(99, 'PUT', UPLOAD, (request, response) => readBody(request).then(() => send(response, 413, {}, ''))),
      onFirst(99, 'PATCH', UPLOAD, (request, response) => readBody(request).then(() => send(response, 416, {}, ''))),
    )
    await assert.rejects(it.push([MB]), { code: 'REGISTRY_ANSWER', message: /416/ })
  })

  it('follows an absolute Location', async () => {
    await using it = await openCase(
      onFirst(9, 'POST', UPLOAD, (_, response) => {
        it.registry.sessions.set('absolute', Buffer.alloc(0))
        send(response, 202, { location: `${it.registry.url}/v2/team/forecast/blobs/uploads/absolute?_state=a%2Bb` }, '')
      }),
    )
    // One blob at a time: this registry has one session for all.
    const image = await writeTestImage(it.place.layout, [])
    await pushImage(
      it.place.layout,
      image.digest,
      parseReference(`${it.registry.host}/team/forecast:1`),
      toTestOptions(it.place.folder),
      never,
    )
    assert.ok(it.registry.seen.some(({ path }) => path.includes('uploads/absolute?_state=a%2Bb&digest=sha256%3A')))
  })

  for (const [name, location] of [
    ['none', undefined],
    ['one that is no address', 'http://[::'],
    ['one of another kind', 'file:///etc/passwd'],
  ] as const) {
    it(`refuses a Location: ${name}`, async () => {
      await using it = await openCase(
        onFirst(99, 'POST', UPLOAD, (_, response) =>
          send(response, 202, location === undefined ? {} : { location }, ''),
        ),
      )
      await assert.rejects(it.push([9]), { code: 'REGISTRY_LOCATION' })
    })
  }

  it('says where the registry does not take changes', async () => {
    await using it = await openCase(
      onFirst(9, 'POST', UPLOAD, (_, response) => sendError(response, 405, 'UNSUPPORTED', 'read only')),
    )
    await assert.rejects(it.push([9]), { code: 'REGISTRY_DENIED', message: /does not take changes.*UNSUPPORTED/ })
  })

  it('sends a layer again that was deleted before the manifest came', async () => {
    await using it = await openCase(
      onFirst(1, 'PUT', /manifests/, async (request, response) => {
        const { layers } = JSON.parse((await readBody(request)).toString())
        it.registry.repositories.get('team/forecast')?.delete(layers[1].digest)
        sendError(response, 400, 'MANIFEST_BLOB_UNKNOWN', layers[1].digest)
      }),
    )
    await it.push([10, 20, 30])
  })

  it('refuses another digest than that of the manifest', async () => {
    await using it = await openCase(
      onFirst(9, 'PUT', /manifests/, (request, response) =>
        readBody(request).then(() => send(response, 201, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }, '')),
      ),
    )
    await assert.rejects(it.push([9]), { code: 'REGISTRY_DIGEST' })
  })

  it('takes an answer without a digest', async () => {
    await using it = await openCase((_request, response) => {
      const write = response.writeHead.bind(response)
      response.writeHead = ((status: number, headers: Record<string, string>) => {
        const { 'docker-content-digest': _, ...rest } = headers
        return write(status, rest)
      }) as typeof response.writeHead
      return false
    })
    await it.push([9])
    await assert.rejects(it.push([10]), { code: 'TAG_TAKEN' })
    await it.push([11], { force: true })
  })

  it('gives up on a registry in which nothing moves', async () => {
    await using it = await openCase(onFirst(99, 'POST', UPLOAD, () => undefined))
    await assert.rejects(it.push([9], { patienceMs: 100, retry: { attempts: 2, firstMs: 1 } }), {
      code: 'REGISTRY_SLOW',
    })
  })

  it('gives up on a registry that does not take the body', async () => {
    await using it = await openCase(onFirst(99, 'PUT', UPLOAD, request => request.pause()))
    await assert.rejects(it.push([20 * MB], { patienceMs: 100, retry: { attempts: 2, firstMs: 1 } }), {
      code: 'REGISTRY_SLOW',
    })
  })

  it('refuses to move a tag, unless told to', async () => {
    await using it = await openCase()
    const first = await it.push([9])
    await assert.rejects(it.push([10]), { code: 'TAG_TAKEN', message: new RegExp(first.digest) })
    await it.push([11], { force: true })
  })

  it('ends its sessions and writes no tag when it is interrupted', async () => {
    const abort = new AbortController()
    await using it = await openCase((request, response) => {
      if (request.method !== 'PUT' || Number(request.headers['content-length']) < MB) return false
      request.once('data', () => abort.abort(new Error('interrupted')))
      request.on('close', () => response.destroy())
      return true
    })
    await assert.rejects(it.push([9 * MB, 9, 9 * MB], {}, abort.signal), { message: 'interrupted' })
    assert.equal(it.registry.tags.size, 0)
    assert.equal(it.registry.sessions.size, 0)
    assert.equal(
      it.registry.seen.some(({ method, path }) => method === 'PUT' && path.includes('manifests')),
      false,
    )
  })

  it('sends up to four blobs at once', async () => {
    let now = 0
    let most = 0
    const four = Promise.withResolvers<void>()
    await using it = await openCase(async (request, response) => {
      if (request.method !== 'PUT' || !UPLOAD.test(request.url ?? '')) return false
      now += 1
      most = Math.max(most, now)
      if (most === 4) four.resolve()
      response.on('finish', () => {
        now -= 1
      })
      await four.promise
      // Time in which a fifth would come.
      await sleep(50)
      return false
    })
    await it.push(Array.from({ length: 12 }, () => 9))
    assert.equal(most, 4)
  })

  it('tells of every blob: started, moving, come', async () => {
    await using it = await openCase()
    const states = new Map<string, string[]>()
    const { layers } = await it.push([3 * MB], {
      onProgress: ({ digest, state }) => void states.set(digest, [...(states.get(digest) ?? []), state]),
    })
    const [first, ...others] = states.get(layers[0]?.digest ?? '') ?? []
    assert.equal(first, 'started')
    assert.equal(others.at(-1), 'uploaded')
    assert.ok(others.slice(0, -1).length > 1 && others.slice(0, -1).every(state => state === 'moving'))
  })
})

describe('pushImage() of a layout that errs', () => {
  it('names a blob whose content was changed', async () => {
    await using it = await openCase()
    const image = await writeTestImage(it.place.layout, [1000])
    const layer = (await it.place.layout.readManifest(image.digest)).layers[0] ?? assert.fail()
    await writeFile(toBlobPath(it.place.layout.folder, layer.digest), Buffer.alloc(1000, 'x'))
    const target = parseReference(`${it.registry.host}/a:1`)
    await assert.rejects(pushImage(it.place.layout, image.digest, target, toTestOptions(it.place.folder), never), {
      code: 'BLOB_DIGEST',
      message: new RegExp(layer.digest),
    })
    await truncate(toBlobPath(it.place.layout.folder, layer.digest), 10)
    await assert.rejects(pushImage(it.place.layout, image.digest, target, toTestOptions(it.place.folder), never), {
      code: 'BLOB_DIGEST',
      message: new RegExp(layer.digest),
    })
    await rm(toBlobPath(it.place.layout.folder, layer.digest))
    await assert.rejects(pushImage(it.place.layout, image.digest, target, toTestOptions(it.place.folder), never), {
      code: 'BLOB_MISSING',
      message: new RegExp(layer.digest),
    })
    assert.equal(it.registry.tags.size, 0)
  })
})
