import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseAllDocuments } from 'yaml'
import { isObject } from '../../src/core/json.ts'
import { openLayout } from '../../src/oci/index.ts'
import { type Harbour, openHarbour } from './namespace.ts'
import { writeShellBase } from './shell-base.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
/** The Python of the conformance suite: it has TensorFlow Serving's client. */
const PYTHON = join(ROOT, '.venv', 'conformance', 'bin', 'python')
const EXAMPLE = join(ROOT, 'examples', 'forecast', 'kube_example.yaml')
const MISSING = [PYTHON, '/bin/busybox'].find(path => !existsSync(path))

const SKIP = { skip: MISSING === undefined ? false : `${MISSING} is not there` }

describe('an existing manifest of TensorFlow Serving', SKIP, () => {
  let harbour: Harbour
  let image = ''
  before(async () => {
    harbour = await openHarbour()
    const plain = await harbour.pack(3)
    const { folder } = harbour.place
    await writeShellBase(await openLayout(join(folder, '.regatta', 'oci')), plain.digest, join(folder, 'base'), [
      'arm64',
    ])
    // An index: the node takes what is for it.
    const platforms = '[linux/amd64, linux/arm64]'
    harbour.configure({ image: `base: oci:base\n  modelPath: /tmp/model\n  platforms: ${platforms}` })
    const { digest } = await harbour.pack(5)
    image = `${process.env['REGATTA_TEST_REGISTRY']}/${harbour.namespace}/linear@${digest}`
    // The manifest says nothing of security: it is from before.
    await harbour.admin.ask('PATCH', `/api/v1/namespaces/${harbour.namespace}`, {
      body: { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } } },
      type: 'application/merge-patch+json',
    })
  })
  after(async () => await harbour?.[Symbol.asyncDispose]())

  it('runs unchanged but for its image, and its own client gets right answers', async () => {
    const { namespace, admin } = harbour
    for (const document of parseAllDocuments(readFileSync(EXAMPLE, 'utf8'))) {
      const object: unknown = JSON.parse(
        JSON.stringify(document.toJS()).replace('registry.example.com/team/forecast:1', image),
      )
      const isDeployment = isObject(object) && object['kind'] === 'Deployment'
      const path = isDeployment ? '/apis/apps/v1' : '/api/v1'
      await admin.ask('POST', `${path}/namespaces/${namespace}/${isDeployment ? 'deployments' : 'services'}`, {
        body: object,
      })
    }
    const address = await untilReady()
    const { status, stdout, stderr } = spawnSync(
      PYTHON,
      [join(import.meta.dirname, 'predict.py'), address, '1', '2', '-4'],
      { encoding: 'utf8', timeout: 120_000 },
    )
    assert.equal(status, 0, stderr)
    assert.deepEqual(JSON.parse(stdout), [[5], [10], [-20]])
  })

  it('shows the files of the model to whoever looks into a pod', () => {
    const args = [
      '--namespace',
      harbour.namespace,
      'exec',
      'deployment/forecast',
      '--',
      'ls',
      '/tmp/model',
      '/tmp/model/2',
    ]
    const { stdout, stderr } = spawnSync('kubectl', args, { encoding: 'utf8' })
    for (const name of ['2', 'model.onnx']) assert.ok(stdout.split('\n').includes(name), stdout + stderr)
  })

  /** Waits until three pods are ready and the Service has an address. */
  async function untilReady(): Promise<string> {
    for (let waited = 0; waited < 120; waited += 1) {
      const [deployment, service] = await Promise.all([
        harbour.admin.ask('GET', `/apis/apps/v1/namespaces/${harbour.namespace}/deployments/forecast`),
        harbour.admin.ask('GET', `/api/v1/namespaces/${harbour.namespace}/services/forecast`),
      ])
      const [ready, balancer] = [deployment, service].map(object => (isObject(object) ? object['status'] : undefined))
      const ip = JSON.stringify(balancer).match(/"ip":"([^"]+)"/)?.[1]
      if (isObject(ready) && ready['readyReplicas'] === 3 && ip !== undefined) return `${ip}:8500`
      await sleep(1000)
    }
    return assert.fail('three pods are not ready after two minutes')
  }
})
