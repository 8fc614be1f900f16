import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseDigest } from '../../../src/core/brands.ts'
import { isObject } from '../../../src/core/json.ts'
import { type Descriptor, openLayout } from '../../../src/oci/index.ts'
import { toModel } from '../../../src/serve/testing/onnx-model.ts'
import { type Harbour, openHarbour } from '../namespace.ts'
import { writeIndex, writeShellBase } from '../shell-base.ts'
import { openClosedRegistry } from './doors.ts'

interface Process {
  readonly name: string
  readonly state: string
  readonly code: string | null
  readonly reason: string | null
}

interface Status {
  readonly ready: boolean
  readonly variants: readonly { readonly name: string; readonly replicas: readonly Process[] }[]
}

/** References of images for other processors: with one for this, in an index without, and alone. */
interface Foreign {
  readonly both: string
  readonly index: string
  readonly image: string
}

/** y = 3 x, and the sum of 64 MiB of zeros. */
function toLargeModel(): Uint8Array {
  const value = (name: string) => ({ name, dtype: 'float32', shape: ['batch', 1] }) as const
  return toModel({
    nodes: [
      { operator: 'Mul', inputs: ['x', 'w'], outputs: ['product'] },
      { operator: 'ReduceSum', inputs: ['zeros'], outputs: ['nothing'], attributes: { keepdims: 0 } },
      { operator: 'Add', inputs: ['product', 'nothing'], outputs: ['y'] },
    ],
    inputs: [value('x')],
    outputs: [value('y')],
    constants: {
      w: { shape: [1], values: Float32Array.of(3) },
      zeros: { shape: [2 ** 24], values: new Float32Array(2 ** 24) },
    },
  })
}

const STRATEGIC = 'application/strategic-merge-patch+json'

/** A replica that does not get ready is named with its reason, whatever that is. */
export function tellOfReplica(): void {
  let harbour: Harbour
  before(async () => {
    harbour = await openHarbour()
    await harbour.pack(3)
    await harbour.regatta(['deploy'])
  })
  after(async () => await harbour?.[Symbol.asyncDispose]())

  const path = (): string => `/apis/apps/v1/namespaces/${harbour.namespace}/deployments/linear-a-1`
  const patch = (spec: object): Promise<unknown> =>
    harbour.admin.ask('PATCH', path(), { body: { spec }, type: STRATEGIC })
  const patchContainer = (container: object): Promise<unknown> =>
    patch({ template: { spec: { containers: [{ name: 'server', ...container }] } } })

  /** Looks at the status until a replica fails with the code; it must not be called ready then. */
  async function untilFailing(code: string): Promise<string> {
    for (let waited = 0; waited < 80; waited += 1) {
      const { ready, variants } = await harbour.regatta<Status>(['status'])
      const found = variants.flatMap(({ replicas }) => replicas).find(replica => replica.code === code)
      if (found !== undefined) {
        assert.equal(ready, false)
        return found.reason ?? ''
      }
      await sleep(1000)
    }
    const { out } = await harbour.run(['status'])
    return assert.fail(`no replica failed with ${code}: ${out}`)
  }

  const cases: [name: string, code: string, container: object, reason: RegExp][] = [
    [
      'crashes, with its last words',
      'CRASH_LOOP',
      { args: ['--nonsense'] },
      /exit code 2 .*nonsense.*regatta logs linear-a-1/s,
    ],
    [
      'finds no node, with what is missing',
      'UNSCHEDULABLE',
      { args: null, resources: { requests: { cpu: '900', memory: '96Mi' }, limits: { memory: '256Mi' } } },
      /Insufficient cpu.*serve\.resources\.requests\.cpu/s,
    ],
    [
      'has an image that is not there',
      'IMAGE_NOT_FOUND',
      { resources: { requests: { cpu: '20m' } }, image: `${process.env['REGATTA_TEST_REGISTRY']}/nobody/nothing:1` },
      /nobody\/nothing.*regatta push/s,
    ],
  ]
  it('grows beyond its memory under requests, with its peak and the limit to raise', async () => {
    await patchContainer({ resources: { requests: { memory: '96Mi' }, limits: { memory: '128Mi' } } })
    const url = await untilServing('128Mi')
    const body = JSON.stringify({ instances: Array.from({ length: 2_000_000 }, (_, x) => [x]) })
    const stop = new AbortController()
    const flood = (async () => {
      while (!stop.signal.aborted) {
        // Nobody answers once it is killed.
        await Promise.allSettled([1, 2, 3, 4].map(() => fetch(url, { method: 'POST', body, signal: stop.signal })))
        await sleep(100)
      }
    })()
    const reason = await untilFailing('OOM')
    stop.abort()
    await flood
    assertPeak(reason, 128)
    assert.match(reason, /the files of its model are \d+ KiB; try: .*limits\.memory to 256Mi or more.*regatta deploy/)
  })

  it('dies for want of memory while it loads, with its peak and the size of its model', async () => {
    const { digest } = await harbour.packModel(toLargeModel())
    await patchContainer({ image: `${process.env['REGATTA_TEST_REGISTRY']}/${harbour.namespace}/linear@${digest}` })
    for (let looks = 1; ; looks += 1) {
      const reason = await untilFailing('OOM')
      if (/files of its model are 64\.0 MiB/.test(reason)) return assertPeak(reason, 128)
      assert.ok(looks < 60, reason)
      await sleep(1000)
    }
  })

  /** A server that tells its memory holds some MiB before it does anything, and never more than its limit. */
  function assertPeak(reason: string, limitMiB: number): void {
    const peak = Number(/its peak before was ([\d.]+) MiB/.exec(reason)?.[1])
    assert.ok(peak > 8 && peak <= limitMiB, reason)
  }

  /** Waits for a pod that is ready with a limit of memory; the address of its predictions. */
  async function untilServing(memory: string): Promise<string> {
    const query = 'labelSelector=regatta.dev/variant%3Da'
    for (let looks = 1; ; looks += 1) {
      const list = await harbour.admin.ask('GET', `/api/v1/namespaces/${harbour.namespace}/pods?${query}`)
      const items = isObject(list) && Array.isArray(list['items']) ? list['items'] : []
      const pod = items.find(
        ({ spec, status }) =>
          spec.containers[0].resources.limits?.memory === memory && status.containerStatuses?.[0]?.ready === true,
      )
      if (pod !== undefined) return `http://${pod.status.podIP}:8501/v1/models/linear:predict`
      assert.ok(looks < 120, JSON.stringify(items))
      await sleep(500)
    }
  }

  for (const [name, code, container, reason] of cases) {
    it(name, async () => {
      await patchContainer(container)
      assert.match(await untilFailing(code), reason)
    })
  }

  it('has an image that the nodes may not pull', async () => {
    // Nodes ask a registry of their own machine without TLS.
    await using registry = await openClosedRegistry()
    await patchContainer({ image: `${registry.name}/team/private:1` })
    assert.match(await untilFailing('IMAGE_UNAUTHORIZED'), /team\/private.*imagePullSecrets/s)
  })

  it('is refused by Pod Security', async () => {
    await patchContainer({ securityContext: { allowPrivilegeEscalation: true } })
    assert.match(await untilFailing('POD_SECURITY'), /allowPrivilegeEscalation.*overlay/s)
  })

  it('is over the quota', async () => {
    const quotas = `/api/v1/namespaces/${harbour.namespace}/resourcequotas`
    await harbour.admin.ask('POST', quotas, {
      body: { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'few' }, spec: { hard: { pods: '1' } } },
    })
    try {
      await patchContainer({
        securityContext: { allowPrivilegeEscalation: false },
        env: [{ name: 'AGAIN', value: '1' }],
      })
      assert.match(await untilFailing('QUOTA'), /quota: few/)
    } finally {
      await harbour.admin.ask('DELETE', `${quotas}/few`)
    }
  })

  /** Pushes an index with images for this processor and another, and one with the other's alone. */
  async function pushForOthers(): Promise<Foreign> {
    const { folder } = harbour.place
    const layout = await openLayout(join(folder, '.regatta', 'oci'))
    await writeShellBase(layout, (await harbour.pack(3)).digest, join(folder, 'base'), ['arm64'])
    harbour.configure({ image: 'base: oci:base\n  platforms: [linux/amd64, linux/arm64]' })
    const { digest } = await harbour.pack(3)
    const { manifests }: { readonly manifests: readonly Descriptor[] } = JSON.parse(
      new TextDecoder().decode(await layout.readBlob(parseDigest(digest))),
    )
    const foreign = manifests.filter(({ platform }) => platform?.architecture === 'arm64')
    await layout.enter(await writeIndex(layout, foreign), { ref: 'foreign' })
    const repository = `${process.env['REGATTA_TEST_REGISTRY']}/${harbour.namespace}/linear`
    await harbour.regatta(['copy', 'oci:.regatta/oci:foreign', `${repository}:foreign`])
    return {
      both: `${repository}@${digest}`,
      index: `${repository}:foreign`,
      image: `${repository}@${foreign[0]?.digest}`,
    }
  }
  let foreign: Foreign

  it('does not answer its probe', async () => {
    const { digest } = await harbour.pack(3)
    await patchContainer({
      image: `${process.env['REGATTA_TEST_REGISTRY']}/${harbour.namespace}/linear@${digest}`,
      startupProbe: { httpGet: { path: '/nowhere' } },
    })
    // It is given half a minute.
    foreign = await pushForOthers()
    assert.match(await untilFailing('PROBE_FAILING'), /Startup probe failed.*404/s)
  })

  it('has an image for other processors, in an index or alone', async () => {
    await patchContainer({ image: foreign.index, startupProbe: { httpGet: { path: '/readyz' } } })
    assert.match(await untilFailing('IMAGE_PLATFORM'), /linear:foreign is not for the platform.*image\.platforms/s)
    await patchContainer({ image: foreign.image })
    for (let looks = 1; ; looks += 1) {
      const reason = await untilFailing('IMAGE_PLATFORM')
      if (/exec format error/.test(reason)) break
      assert.ok(looks < 60, reason)
      await sleep(1000)
    }
  })

  it('gets ready with the image for its processor out of an index', async () => {
    await patchContainer({ image: foreign.both })
    for (let looks = 1; !(await harbour.regatta<Status>(['status'])).ready; looks += 1) {
      assert.ok(looks < 60, 'the index with an image for the node does not run')
      await sleep(1000)
    }
  })
}
