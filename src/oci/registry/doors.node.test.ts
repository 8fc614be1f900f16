import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseReference, pullImage, pushImage } from '../index.ts'
import { openTestPlace, toTestOptions, writeTestImage } from './testing/image.ts'
import { openTestRegistry } from './testing/registry.ts'

const never = new AbortController().signal

describe('pushImage() and pullImage()', () => {
  it('carry an image to a registry and back', async () => {
    await using registry = await openTestRegistry()
    await using place = await openTestPlace()
    const image = await writeTestImage(place.layout, [10, 100_000, 3_000_000, 0, 1])
    const target = parseReference(`${registry.host}/team/forecast:1`)
    const options = toTestOptions(place.folder)
    const pushed = await pushImage(place.layout, image.digest, target, options, never)
    assert.equal(pushed.digest, image.digest)
    assert.equal(pushed.size, image.size)
    assert.deepEqual(
      pushed.layers.map(({ how, size }) => [how, size]),
      [10, 100_000, 3_000_000, 0, 1].map(n => ['uploaded', n]),
    )
    assert.equal(registry.tags.get('team/forecast:1'), image.digest)
    assert.equal(registry.sessions.size, 0)
    await using other = await openTestPlace()
    const pulled = await pullImage(target, other.layout, options, never)
    assert.equal(pulled.digest, image.digest)
    const entry = await other.layout.resolve(`${registry.host}/team/forecast:1`)
    assert.equal(entry?.digest, image.digest)
    assert.deepEqual(entry?.platform, { os: 'linux', architecture: 'amd64' })
    for (const layer of pulled.layers) for await (const _ of other.layout.openBlob(layer.digest));
  })
})
