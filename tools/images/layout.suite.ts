import assert from 'node:assert/strict'
import { cpSync, lstatSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Boathouse, openBoathouse, type Packed } from './boathouse.ts'
import { needs, needsRoot, toPath } from './parts.ts'
import { run, runWell } from './program.ts'
import { startDockerRegistry } from './registries.ts'

/** All that is in an image but its model. */
const MAX_BYTES = 65_000_000

describe('a packed image', () => {
  let boathouse: Boathouse
  before(async () => {
    boathouse = await openBoathouse()
  })
  after(() => boathouse[Symbol.asyncDispose]())

  /** The files of the image as umoci unpacks them: paths in the image, which lie below `root`. */
  async function unpack(name: string): Promise<{ readonly root: string; readonly paths: readonly string[] }> {
    const bundle = join(boathouse.makeFolder(name), 'bundle')
    await runWell(toPath('umoci'), [
      ...['unpack', ...(process.getuid?.() === 0 ? [] : ['--rootless'])],
      ...['--image', `${boathouse.layout}:${boathouse.packed.reference}`, bundle],
    ])
    const root = join(bundle, 'rootfs')
    return { root, paths: readdirSync(root, { recursive: true, encoding: 'utf8' }).sort() }
  }

  it(
    'is valid by the schemas of the image specification, and all that its layout holds',
    needs('validator'),
    async () => {
      const told = await runWell(toPath('validator'), [boathouse.layout])
      const blobs = readdirSync(join(boathouse.layout, 'blobs', 'sha256'))
      assert.match(told, new RegExp(`^\\d+ documents and ${blobs.length} blobs are valid$`))
      const wanted = [boathouse.packed.digest, ...boathouse.packed.layers.map(layer => layer.digest)]
      assert.deepEqual(
        wanted.filter(digest => !blobs.includes(digest.replace('sha256:', ''))),
        [],
      )
    },
  )

  it('is told from a layout with one byte changed', needs('validator'), async () => {
    const copy = join(boathouse.makeFolder('changed'), 'layout')
    cpSync(boathouse.layout, copy, { recursive: true })
    const layer = boathouse.packed.layers.at(-1)?.digest.replace('sha256:', '') ?? ''
    const path = join(copy, 'blobs', 'sha256', layer)
    const content = readFileSync(path)
    content[100] = (content[100] ?? 0) ^ 1
    writeFileSync(path, content)
    const { code, err } = await run(toPath('validator'), [copy])
    assert.equal(code, 1)
    assert.match(err, new RegExp(layer))
    const verified = await boathouse.place.run(['verify', `oci:${copy}`])
    assert.equal(verified.code, 1)
    assert.match(verified.err, new RegExp(layer))
  })

  it('has bare archives for its model where that is wished, which is valid, too', needs('validator'), async () => {
    const layout = join(boathouse.makeFolder('bare'), 'layout')
    const args = ['pack', '--model-compression', 'none', '--output', layout]
    const bare = await boathouse.place.json<Packed>(args)
    await runWell(toPath('validator'), [layout])
    const manifest = join(layout, 'blobs', bare.digest.replace(':', '/'))
    const { layers } = JSON.parse(readFileSync(manifest, 'utf8'))
    assert.equal(layers.at(-1).mediaType, 'application/vnd.oci.image.layer.v1.tar')
    assert.equal(layers.at(-1).digest, bare.layers.at(-1)?.digest)
  })

  it('keeps its digest when skopeo copies it to a layout', needs('skopeo'), async () => {
    const copy = `oci:${boathouse.makeFolder('copy')}:linear:1`
    await runWell(toPath('skopeo'), ['copy', '--quiet', boathouse.source, copy])
    assert.equal(await inspect(copy), boathouse.packed.digest)
    assert.equal(await inspect(boathouse.source), boathouse.packed.digest)
  })

  it('keeps its digest when skopeo copies it to a registry', needs('skopeo', 'docker-registry'), async () => {
    await using registry = await startDockerRegistry(boathouse.makeFolder('registry'))
    const copy = `docker://${registry.host}/rowing/linear:1`
    await runWell(toPath('skopeo'), ['copy', '--quiet', '--dest-tls-verify=false', boathouse.source, copy])
    assert.equal(await inspect(copy, '--tls-verify=false'), boathouse.packed.digest)
  })

  it('says its model to whoever inspects it', needs('skopeo'), async () => {
    const told = JSON.parse(await runWell(toPath('skopeo'), ['inspect', boathouse.source]))
    assert.equal(told.Labels['org.opencontainers.image.title'], 'linear')
    assert.equal(told.Os, 'linux')
    assert.equal(told.Layers.length, boathouse.packed.layers.length)
  })

  it('runs as a numeric user that is not root, with telemetry off, each variable once', needs('skopeo'), async () => {
    const { config } = JSON.parse(await runWell(toPath('skopeo'), ['inspect', '--config', boathouse.source]))
    assert.match(config.User, /^[1-9]\d*:[1-9]\d*$/)
    assert.ok(config.Env.includes('ORT_DISABLE_TELEMETRY=1'))
    const names = config.Env.map((entry: string) => entry.split('=')[0])
    assert.deepEqual(names, [...new Set(names)])
  })

  it('is small', () => {
    const layers = boathouse.packed.layers.filter(({ kind }) => kind !== 'model')
    const bytes = layers.reduce((sum, layer) => sum + layer.size, 0)
    assert.ok(bytes < MAX_BYTES, `${bytes} bytes without the model`)
  })

  it('holds the model where KServe looks for it', needs('umoci'), async () => {
    const { root } = await unpack('model')
    const model = readFileSync(join(root, 'models', 'linear', '1', 'model.onnx'))
    assert.ok(model.includes('linear'))
  })

  it('names no path of the machine that built it', needs('umoci'), async () => {
    const { paths, root } = await unpack('paths')
    // "/root" alone is the home of a user that every system has.
    const home = homedir() === '/root' ? [] : [homedir()]
    const wanted = [resolve(import.meta.dirname, '..', '..'), realpathSync(boathouse.place.folder), ...home]
    const files = paths.map(path => join(root, path)).filter(path => lstatSync(path).isFile())
    assert.ok(files.length > 20, `only ${files.length} files`)
    const found = files.flatMap(path => {
      const content = readFileSync(path)
      return wanted.filter(text => content.includes(text)).map(text => `${path}: ${text}`)
    })
    const documents = readdirSync(join(boathouse.layout, 'blobs', 'sha256'))
      .map(name => join(boathouse.layout, 'blobs', 'sha256', name))
      .filter(path => lstatSync(path).size < 1 << 20)
    for (const path of [join(boathouse.layout, 'index.json'), ...documents]) {
      const content = readFileSync(path)
      found.push(...wanted.filter(text => content.includes(text)).map(text => `${path}: ${text}`))
    }
    assert.deepEqual(found, [])
  })

  it(
    'holds nothing that gives rights: owner root, no setuid, no file that others may write',
    needsRoot('umoci'),
    async () => {
      const { paths, root } = await unpack('rights')
      const wrong = paths.filter(path => {
        const { gid, mode, uid } = lstatSync(join(root, path))
        const isLink = (mode & 0o170000) === 0o120000
        return uid !== 0 || gid !== 0 || (mode & 0o6000) !== 0 || (!isLink && (mode & 0o002) !== 0 && path !== 'tmp')
      })
      assert.deepEqual(wrong, [])
    },
  )
})

/** The digest of an image, as skopeo sees it. */
async function inspect(image: string, ...options: readonly string[]): Promise<string> {
  return await runWell(toPath('skopeo'), ['inspect', ...options, '--format', '{{.Digest}}', image])
}
