import assert from 'node:assert/strict'
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { buildAll } from '../../../tools/build.ts'
import { type ImageConfig, parseImageConfig } from '../../oci/index.ts'
import type { PackedImage } from '../index.ts'
import { type Bench, openBench } from '../testing/bench.ts'
import { readLayer } from '../testing/layer.ts'

const run = promisify(execFile)
const isRoot = process.getuid?.() === 0
const CHROOT = ['/usr/sbin/chroot', '/usr/bin/chroot'].find(existsSync)

describe('a packed image', {
  skip: isRoot && CHROOT !== undefined ? false : 'needs chroot, which only root may use',
}, () => {
  let bench: Bench
  let packed: PackedImage
  let image: ImageConfig
  let root: string

  before(async () => {
    bench = await openBench()
    const out = join(bench.folder, 'dist')
    const repository = resolve(import.meta.dirname, '..', '..', '..')
    await buildAll({ root: repository, out, entries: { 'runtime/server.js': 'src/serve/main.ts' } })
    const source = { kind: 'run', run: await bench.train(3) } as const
    packed = await bench.pack(source, { node: process.execPath, runtimeFolder: join(out, 'runtime') })
    const { config } = await bench.layout.readManifest(packed.digest)
    image = parseImageConfig(JSON.parse(Buffer.from(await bench.layout.readBlob(config.digest)).toString()))
    root = await mkdtemp(join(tmpdir(), 'regatta-image-'))
    // As a container engine has it: the image's user must be able to look in.
    await chmod(root, 0o755)
    await mkdir(join(root, 'archives'))
    for (const [index, { digest }] of packed.layers.entries()) {
      const path = join(root, 'archives', `${index}.tar`)
      await writeFile(path, (await readLayer(bench.layout, digest)).archive)
      // GNU tar is the outside reader: it complains of what it does not know.
      const { stderr } = await run('tar', ['--extract', '--same-permissions', '--file', path, '--directory', root])
      assert.equal(stderr, '')
    }
    await rm(join(root, 'archives'), { recursive: true })
  })
  after(async () => {
    if (root !== undefined) await rm(root, { recursive: true, force: true })
    await bench?.[Symbol.asyncDispose]()
  })

  /** Starts a program of the image within it, as its user and with nothing but its environment. */
  function start(args: readonly string[]): ChildProcessByStdio<null, Readable, null> {
    const { Env = [], User = '' } = image.config
    const env = Object.fromEntries(
      Env.map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    )
    return spawn(CHROOT ?? '', [`--userspec=${User}`, root, ...args], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  }

  async function runInside(script: string): Promise<string> {
    const child = start(['/usr/local/bin/node', '-e', script])
    const chunks: Buffer[] = []
    child.stdout.on('data', chunk => chunks.push(chunk))
    const [code] = await once(child, 'close')
    assert.equal(code, 0)
    return Buffer.concat(chunks).toString()
  }

  it('serves its model as its own command, and ends when asked', { timeout: 60_000 }, async () => {
    const { Cmd = [], Entrypoint = [] } = image.config
    assert.deepEqual(Cmd.slice(0, 4), ['--model-name', 'forecast', '--model-base-path', '/models/forecast'])
    const child = start([...Entrypoint, ...Cmd.slice(0, -1), '0'])
    try {
      let url: string | undefined
      for await (const line of createInterface({ input: child.stdout })) {
        const { msg, url: listening } = JSON.parse(line)
        url ??= listening
        if (msg === 'ready') break
      }
      assert.ok(url)
      const answer = await fetch(`${url.replace('0.0.0.0', '127.0.0.1')}/v1/models/forecast:predict`, {
        method: 'POST',
        body: '{"instances":[[1],[2.5]]}',
      })
      assert.deepEqual(await answer.json(), { predictions: [[3], [7.5]] })
    } finally {
      child.kill('SIGTERM')
    }
    assert.deepEqual(await once(child, 'exit'), [0, null])
  })

  it("answers to TensorFlow Serving's name, too", async () => {
    const child = start(['/usr/bin/tensorflow_model_server', '--version'])
    const chunks: Buffer[] = []
    child.stdout.on('data', chunk => chunks.push(chunk))
    assert.deepEqual(await once(child, 'close'), [0, null])
    assert.match(Buffer.concat(chunks).toString(), /^TensorFlow ModelServer: regatta \d/)
  })

  it('runs as a user that may write nowhere but to /tmp, and can look names up', async () => {
    const script = `
      const { accessSync, constants } = require('node:fs')
      const can = path => { try { accessSync(path, constants.W_OK); return true } catch { return false } }
      require('node:dns').lookup('localhost', error => console.log(JSON.stringify({
        ids: [process.getuid(), process.getgid()], user: require('node:os').userInfo().username,
        tmp: can('/tmp'), others: ['/', '/opt/regatta', '/models/forecast/1/model.onnx', '/etc/passwd'].filter(can),
        telemetry: process.env.ORT_DISABLE_TELEMETRY, error: error && error.code,
      })))`
    const found = JSON.parse(await runInside(script))
    // Without /etc/hosts, which an engine mounts, "localhost" may have no address; but looking it up must not crash.
    assert.ok([null, 'ENOTFOUND', 'EAI_AGAIN'].includes(found.error), found.error)
    assert.deepEqual(
      { ...found, error: null },
      {
        ids: [65532, 65532],
        user: 'regatta',
        tmp: true,
        others: [],
        telemetry: '1',
        error: null,
      },
    )
  })

  it('holds no path of the machine it was made on', async () => {
    const repository = resolve(import.meta.dirname, '..', '..', '..')
    for (const { digest } of packed.layers.filter(({ kind }) => kind !== 'base')) {
      const { archive } = await readLayer(bench.layout, digest)
      for (const path of [bench.folder, repository]) {
        assert.ok(!archive.includes(path), `${path} in ${digest}`)
      }
    }
    const { config } = await bench.layout.readManifest(packed.digest)
    for (const digest of [packed.digest, config.digest]) {
      const document = Buffer.from(await bench.layout.readBlob(digest)).toString()
      for (const path of [bench.folder, repository]) assert.ok(!document.includes(path), `${path} in ${digest}`)
    }
  })
})
