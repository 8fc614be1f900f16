import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makePlace, type Place } from '../../bin/testing/place.ts'
import { openLayout } from '../../src/oci/index.ts'
import { writeBase } from '../../src/pack/testing/base.ts'
import { toLinearModel } from '../../src/train/testing/onnx-model.ts'
import { type Login, writeNothing } from './docker-config.ts'
import { type Front, startFront } from './front.ts'
import { needs, toPath } from './parts.ts'
import { run, runWell } from './program.ts'
import { type Registry, startDockerRegistry } from './registries.ts'

const BASE = 'team/node'
const PLATFORMS = ['amd64', 'arm64'] as const

/** What `regatta pack --json` tells, as far as it matters here. */
interface Packed {
  readonly digest: string
  readonly reference: string
  readonly layers: readonly { readonly digest: string; readonly kind: string }[]
}

describe('an image for two platforms', needs('docker-registry', 'skopeo', 'validator'), () => {
  let place: Place
  let registry: Registry
  let front: Front
  let login: Login
  let packed: Packed
  /** What was asked of the registry by `regatta pack --push`. */
  let asked: Front['passed']

  before(async () => {
    place = makePlace('name: linear\n')
    login = writeNothing(join(place.folder, 'nobody'))
    registry = await startDockerRegistry(join(place.folder, 'registry'))
    front = await startFront(registry.host)
    const { host } = front
    // Node's own image cannot be had everywhere: this one says of itself what that does.
    await writeBase(await openLayout(join(place.folder, 'base')), 'node:24', PLATFORMS)
    const base = `${host}/${BASE}:24`
    const copied = await place.run(['copy', 'oci:base:node:24', base], { env: login })
    assert.equal(copied.code, 0, copied.err)
    const platforms = PLATFORMS.map(architecture => `linux/${architecture}`)
    const image = JSON.stringify({ repository: `${host}/team/linear`, base, platforms })
    writeFileSync(join(place.folder, 'regatta.yaml'), `name: linear\nimage: ${image}\n`)
    mkdirSync(join(place.folder, 'model'))
    writeFileSync(join(place.folder, 'model', 'model.onnx'), toLinearModel({ weight: 3 }))
    const before = front.passed.length
    const { code, err, out } = await place.run(['pack', '--model', 'model', '--push', '--json'], { env: login })
    assert.equal(code, 0, err)
    packed = JSON.parse(out) as Packed
    asked = front.passed.slice(before)
  })
  after(async () => {
    await front?.[Symbol.asyncDispose]()
    await registry?.stop()
    await place?.[Symbol.asyncDispose]()
  })

  it('is an index, of which skopeo takes either and the schemas nothing amiss', async () => {
    const layout = join(place.folder, 'copy')
    const from = ['copy', '--quiet', '--all', '--src-tls-verify=false', `docker://${packed.reference}`]
    await runWell(toPath('skopeo'), [...from, `oci:${layout}:linear`])
    await runWell(toPath('validator'), [layout])
    for (const architecture of PLATFORMS) {
      const args = ['--override-arch', architecture, 'inspect', '--config', '--tls-verify=false']
      const config = JSON.parse(await runWell(toPath('skopeo'), [...args, `docker://${packed.reference}`]))
      assert.deepEqual([config.architecture, config.config.User], [architecture, '65532:65532'])
    }
  })

  it('has the layers of its base mounted, which are never fetched nor sent', () => {
    const base = packed.layers.filter(({ kind }) => kind === 'base').map(({ digest }) => digest)
    assert.equal(new Set(base).size, 3)
    for (const digest of new Set(base)) {
      const about = asked.filter(({ url }) => decodeURIComponent(url).includes(digest))
      assert.deepEqual(
        about.filter(({ method }) => method !== 'HEAD').map(({ method, status, bytes }) => [method, status, bytes]),
        [['POST', 201, 0]],
      )
    }
  })

  it('is pulled for one platform, and one that it is not for is named', async () => {
    await using other = makePlace('name: linear\n')
    const pull = (platform: string) => other.run(['pull', packed.reference, '--platform', platform], { env: login })
    const none = await pull('linux/s390x')
    assert.equal(none.code, 1)
    assert.match(none.err, /^error\[PLATFORM_NONE\] .*linux\/s390x.*linux\/amd64, linux\/arm64/m)
    assert.equal((await pull('linux/arm64')).code, 0)
    const told = await run(toPath('skopeo'), ['inspect', `oci:${join(other.folder, '.regatta', 'oci')}:linear:1`])
    assert.equal(JSON.parse(told.out).Architecture, 'arm64')
  })
})
