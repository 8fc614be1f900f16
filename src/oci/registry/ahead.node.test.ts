import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { MEDIA_TYPES, openAhead, parseReference, pushImage } from '../index.ts'
import type { Descriptor } from '../manifest.ts'
import { openTestPlace, type TestPlace, toTestOptions } from './testing/image.ts'
import { type Fault, openTestRegistry, sendError, type TestRegistry } from './testing/registry.ts'

const never = new AbortController().signal
const SIZE = 3_000_000

interface Case extends AsyncDisposable {
  readonly registry: TestRegistry
  readonly place: TestPlace
}

async function openCase(...faults: readonly Fault[]): Promise<Case> {
  const registry = await openTestRegistry()
  const place = await openTestPlace()
  registry.faults.push(...faults)
  return {
    registry,
    place,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]()
      await place[Symbol.asyncDispose]()
    },
  }
}

async function* inParts(bytes: Uint8Array, wait: () => Promise<unknown> = async () => undefined) {
  const half = bytes.byteLength / 2
  yield bytes.subarray(0, half)
  await wait()
  yield bytes.subarray(half)
}

async function writeImage({ layout }: TestPlace, layer: Descriptor): Promise<Descriptor> {
  const document = {
    ...{ architecture: 'amd64', os: 'linux', config: {} },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  }
  const config = await layout.writeBlob(Buffer.from(JSON.stringify(document)), MEDIA_TYPES.config)
  return await layout.putManifest({ schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config, layers: [layer] })
}

/** Writes a layer that is sent while it is written, then pushes its image. */
async function pushAhead(it: Case, wait?: () => Promise<unknown>) {
  const { place, registry } = it
  const target = parseReference(`${registry.host}/team/forecast:1`)
  const options = toTestOptions(place.folder)
  await using ahead = openAhead(target, options, never)
  const content = inParts(randomBytes(SIZE), wait)
  const layer = await place.layout.writeBlob(content, MEDIA_TYPES.layer, ahead.follow('1', SIZE))
  const image = await writeImage(place, layer)
  const events: string[] = []
  const onProgress = ({ digest, state }: { readonly digest: string; readonly state: string }): void => {
    if (digest === layer.digest) events.push(state)
  }
  const moved = await pushImage(place.layout, image.digest, target, { ...options, ahead, onProgress }, never)
  assert.equal(registry.tags.get('team/forecast:1'), image.digest)
  assert.equal(registry.blobs.get(layer.digest)?.length, SIZE)
  assert.equal(registry.sessions.size, 0)
  return { layer, moved, events }
}

function toSent({ registry }: Case): readonly string[] {
  return registry.seen.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`)
}

/** Resolves once the registry has seen a request. */
async function untilSeen({ registry }: Case, method: string): Promise<void> {
  while (!registry.seen.some(seen => seen.method === method)) await new Promise(resolve => setImmediate(resolve))
}

describe('openAhead()', () => {
  it('sends a blob while it is written, and once', async () => {
    await using test = await openCase()
    const { events, layer, moved } = await pushAhead(test, () => untilSeen(test, 'PATCH'))
    assert.equal(moved.layers[0]?.how, 'uploaded')
    assert.ok(moved.uploadedBytes > SIZE)
    assert.equal(toSent(test).filter(line => line.startsWith('PATCH')).length, 1)
    assert.deepEqual(
      toSent(test).filter(line => line.includes(layer.digest)),
      [],
    )
    assert.equal(events.at(-1), 'uploaded')
  })

  it('sends nothing where the repository has the tag', async () => {
    await using test = await openCase()
    await pushAhead(test)
    const before = test.registry.seen.length
    const target = parseReference(`${test.registry.host}/team/forecast:1`)
    await using ahead = openAhead(target, toTestOptions(test.place.folder), never)
    const bytes = randomBytes(SIZE)
    const layer = await test.place.layout.writeBlob(bytes, MEDIA_TYPES.layer, ahead.follow('1', SIZE))
    assert.equal(await ahead.isSent(layer.digest, () => undefined, never), false)
    const paths = toSent(test).slice(before)
    assert.deepEqual(
      paths.filter(line => /^(POST|PATCH|PUT)/.test(line)),
      [],
    )
  })

  const refusals: readonly (readonly [string, string])[] = [
    ['no upload', 'POST'],
    ['no stream', 'PATCH'],
  ]
  for (const [name, method] of refusals) {
    it(`leaves the blob to the push where the registry takes ${name}`, async () => {
      let left = 1
      await using test = await openCase((request, response) => {
        if (request.method !== method || left-- <= 0) return false
        request.resume()
        sendError(response, 405, 'UNSUPPORTED', method)
        return true
      })
      const { moved } = await pushAhead(test)
      assert.equal(moved.layers[0]?.how, 'uploaded')
    })
  }

  it('leaves the blob to the push where the connection breaks', async () => {
    let left = 1
    await using test = await openCase(request => {
      if (request.method !== 'PATCH' || left-- <= 0) return false
      request.socket.destroy()
      return true
    })
    const { moved } = await pushAhead(test)
    assert.equal(moved.layers[0]?.how, 'uploaded')
  })

  it('ends with the push that fails, and does not keep it', { timeout: 60_000 }, async () => {
    // The layer never comes to its end, and the config is refused.
    await using test = await openCase(
      async ({ method }) => {
        if (method === 'PATCH') await new Promise(() => undefined)
        return false
      },
      async ({ method, url = '' }, response) => {
        if (method !== 'HEAD' || !url.includes('/blobs/')) return false
        await untilSeen(test, 'PATCH')
        sendError(response, 403, 'DENIED', url)
        return true
      },
    )
    const { place, registry } = test
    const target = parseReference(`${registry.host}/team/forecast:1`)
    const options = { ...toTestOptions(place.folder), patienceMs: 600_000 }
    await using ahead = openAhead(target, options, never)
    const layer = await place.layout.writeBlob(randomBytes(SIZE), MEDIA_TYPES.layer, ahead.follow('1', SIZE))
    const image = await writeImage(place, layer)
    const pushing = pushImage(place.layout, image.digest, target, { ...options, ahead }, never)
    await assert.rejects(pushing, { code: 'REGISTRY_DENIED' })
    await untilSeen(test, 'DELETE')
  })

  it('sends up to four blobs at once, and leaves more to the push', async () => {
    const go = Promise.withResolvers<void>()
    await using test = await openCase(async ({ method }) => {
      if (method === 'PATCH') await go.promise
      return false
    })
    const target = parseReference(`${test.registry.host}/team/forecast:1`)
    await using ahead = openAhead(target, toTestOptions(test.place.folder), never)
    const write = async (): Promise<Descriptor> =>
      await test.place.layout.writeBlob(randomBytes(9), MEDIA_TYPES.layer, ahead.follow('1', 9))
    const [first] = [await write(), await write(), await write(), await write()]
    assert.equal(ahead.follow('1', 9), undefined)
    go.resolve()
    assert.equal(await ahead.isSent(first.digest, () => undefined, never), true)
    const later = await write()
    assert.equal(await ahead.isSent(later.digest, () => undefined, never), true)
  })

  it('ends the upload of a blob that is not written to its end', async () => {
    await using test = await openCase()
    const { place, registry } = test
    const target = parseReference(`${registry.host}/team/forecast:1`)
    await using ahead = openAhead(target, toTestOptions(place.folder), never)
    const content = inParts(randomBytes(SIZE), async () => {
      await untilSeen(test, 'PATCH')
      throw new Error('the file changed')
    })
    const written = place.layout.writeBlob(content, MEDIA_TYPES.layer, ahead.follow('1', SIZE))
    await assert.rejects(written, /the file changed/)
    await untilSeen(test, 'DELETE')
    assert.equal(registry.blobs.size, 0)
  })
})
