import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Boathouse, openBoathouse } from './boathouse.ts'
import { type Containerd, startContainerd } from './containerd.ts'
import { needsRoot, toPath } from './parts.ts'
import { runWell } from './program.ts'
import { startDockerRegistry } from './registries.ts'

const URL = 'http://127.0.0.1:8501/v1/models/linear:predict'
const REAL = needsRoot('containerd', 'ctr', 'runc', 'skopeo', 'docker-registry')

describe('a packed image in containerd', REAL, () => {
  let boathouse: Boathouse
  let containerd: Containerd
  before(async () => {
    boathouse = await openBoathouse()
    containerd = await startContainerd(boathouse.makeFolder('containerd'))
  })
  after(async () => {
    await containerd?.[Symbol.asyncDispose]()
    await boathouse?.[Symbol.asyncDispose]()
  })

  it('is imported from an archive of its layout', async () => {
    const archive = join(boathouse.makeFolder('archive'), 'layout.tar')
    await runWell('tar', ['-C', boathouse.layout, '-cf', archive, '.'])
    await containerd.ctr('images', 'import', '--no-unpack', '--base-name', 'linear', archive)
    const listed = await containerd.ctr('images', 'ls')
    assert.match(listed, new RegExp(`^linear:1 .*${boathouse.packed.digest}`, 'm'))
  })

  it('is pulled and runs as its user on a read-only root, answers, and ends on SIGTERM', async () => {
    await using registry = await startDockerRegistry(boathouse.makeFolder('registry'))
    const image = `${registry.host}/rowing/linear:1`
    await runWell(toPath('skopeo'), [
      ...['copy', '--quiet', '--dest-tls-verify=false', boathouse.source, `docker://${image}`],
    ])
    await containerd.pull(image)
    assert.match(await containerd.ctr('images', 'ls'), new RegExp(`^${image} .*${boathouse.packed.digest}`, 'm'))

    await using container = await containerd.run(image, 'linear', /"msg":"ready"/)
    const body = JSON.stringify({ instances: [[2]] })
    const ask = `fetch('${URL}', { method: 'POST', body: '${body}' }).then(answer => answer.text()).then(console.log)`
    const network = ['--target', String(container.pid), '--net']
    const answer = await runWell('nsenter', [...network, process.execPath, '--eval', ask])
    assert.deepEqual(JSON.parse(answer), { predictions: [[6]] })
    assertConfined(container.pid)

    await container.kill('SIGTERM')
    assert.equal(await container.ended, 0, container.output())
    assert.match(container.output(), /"msg":"stopping"/)
  })
})

/** The process has no rights, cannot write to its root, and sends nothing home. */
function assertConfined(pid: number): void {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  assert.match(status, /^Uid:\t65532\t65532\t65532\t65532$/m)
  assert.match(status, /^Gid:\t65532\t65532\t65532\t65532$/m)
  assert.match(status, /^CapEff:\t0+$/m)
  assert.match(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'), /^\d+ \d+ \S+ \S+ \/ ro\b/m)
  assert.ok(readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes('ORT_DISABLE_TELEMETRY=1'))
}
