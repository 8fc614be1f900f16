import assert from 'node:assert/strict'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { toSingleModel } from '../options.ts'
import { openCatalog } from '../testing/catalog.ts'
import { toDouble, toIdentity, toSlow } from '../testing/models.ts'
import { openPlace } from '../testing/place.ts'
import { untilTrue } from '../testing/until-true.ts'
import type { ModelConfig, ServedVersion } from './catalog.ts'

const never = new AbortController().signal
const POLL_MS = 1000
const RETRY_MS = 60_000

/** What a version answers to [1, 1] (or [[1, 1]]). */
async function infer({ model }: ServedVersion): Promise<number> {
  const shape = model.inputs[0]?.shape.map(size => (size === -1 ? 1 : size)) ?? []
  const size = shape.reduce((a, b) => a * b, 1)
  const inputs = new Map([['x', { dtype: 'float32', shape, data: new Float32Array(size).fill(1) } as const]])
  const outputs = await model.infer(inputs, ['y'], never)
  return Number(outputs.get('y')?.data[0])
}

/** Puts a version into a folder at once, as deployments do. */
async function addVersion(basePath: string, version: number, model: Uint8Array): Promise<void> {
  const part = join(basePath, `.part-${version}`)
  await mkdir(part)
  await writeFile(join(part, 'model.onnx'), model)
  await rename(part, join(basePath, String(version)))
}

const identity = (): Uint8Array => toIdentity('float32', [2])
const withPolicy = (basePath: string, policy: ModelConfig['policy'], labels = {}): ModelConfig => ({
  ...toSingleModel('m', basePath),
  policy,
  labels: new Map(Object.entries(labels)),
})

describe('LiveCatalog', () => {
  it('serves the highest version, or those that the policy wants', async () => {
    await using place = await openPlace({ 1: toDouble(), '0002': identity(), 3: toDouble(), latest: toDouble() })
    const policies = [
      [{ kind: 'latest', count: 1 }, '3 AVAILABLE'],
      [{ kind: 'latest', count: 2 }, '2 AVAILABLE, 3 AVAILABLE'],
      [{ kind: 'all' }, '1 AVAILABLE, 2 AVAILABLE, 3 AVAILABLE'],
      [{ kind: 'specific', versions: [2, 9] }, '2 AVAILABLE'],
    ] as const
    for (const [policy, wanted] of policies) {
      await using opened = openCatalog()
      const begin = await opened.catalog.prepare([withPolicy(place.basePath, policy)])
      assert.equal(opened.catalog.isReady, false)
      await begin()
      assert.deepEqual([opened.states('m'), opened.catalog.isReady], [wanted, true])
      assert.match(opened.log.join('\n'), /^loaded \{"path":".*model.onnx","place":"inline"/m)
    }
  })

  it('finds versions by number and by label, and says in whose words it does not', async () => {
    await using place = await openPlace({ 1: identity(), 2: toDouble() })
    await using opened = openCatalog()
    const { catalog } = opened
    const begin = await catalog.prepare([withPolicy(place.basePath, { kind: 'all' }, { stable: 1, lost: 7 })])
    const starting = begin()
    assert.throws(() => catalog.find({ name: 'm' }), { code: 'NOT_READY', message: 'Model "m" is not loaded yet' })
    await starting
    assert.match(opened.log.join('\n'), /a label is on a version that is not available .*"label":"lost","version":7/)
    assert.equal(await infer(catalog.find({ name: 'm' })), 2)
    assert.equal(await infer(catalog.find({ name: 'm', label: 'stable' })), 1)
    const wrong = [
      [{ name: 'z' }, 'NOT_FOUND', 'Servable not found for request: Latest(z)'],
      [{ name: 'm', version: 7 }, 'NOT_FOUND', 'Servable not found for request: Specific(m, 7)'],
      [{ name: 'm', label: 'lost' }, 'NOT_FOUND', 'Servable not found for request: Specific(m, 7)'],
      [{ name: 'm', label: 'canary' }, 'BAD_REQUEST', 'Unrecognized servable version label: canary'],
    ] as const
    for (const [wanted, code, message] of wrong) assert.throws(() => catalog.find(wanted), { code, message })
  })

  it('swaps in a new version, and lets the old one finish its requests', async () => {
    await using place = await openPlace({ 1: toSlow(6) })
    await using opened = openCatalog({ pollMs: POLL_MS })
    const { catalog } = opened
    await (await catalog.prepare([toSingleModel('m', place.basePath)]))()
    const asked = infer(catalog.find({ name: 'm' }))
    await addVersion(place.basePath, 2, toDouble())
    opened.wake(POLL_MS)
    await untilTrue(async () => catalog.find({ name: 'm' }).version === 2)
    assert.equal(opened.states('m'), '1 UNLOADING, 2 AVAILABLE')
    assert.equal(await asked, 1)
    await untilTrue(async () => opened.states('m') === '1 END, 2 AVAILABLE')
    assert.equal(await infer(catalog.find({ name: 'm' })), 2)
    assert.throws(() => catalog.find({ name: 'm', version: 1 }), { code: 'NOT_FOUND' })
  })

  it('loses no request while versions come and go', async () => {
    await using place = await openPlace({ 1: toDouble() })
    await using opened = openCatalog({ pollMs: POLL_MS })
    const { catalog } = opened
    await (await catalog.prepare([toSingleModel('m', place.basePath)]))()
    let answered = 0
    let isOver = false
    const asking = (async () => {
      while (!isOver) {
        assert.equal(await infer(catalog.find({ name: 'm' })), 2)
        answered += 1
        await new Promise(setImmediate)
      }
    })()
    for (const version of [2, 3, 4]) {
      await addVersion(place.basePath, version, toDouble())
      opened.wake(POLL_MS)
      await untilTrue(async () => opened.states('m').endsWith(`${version - 1} END, ${version} AVAILABLE`))
    }
    isOver = true
    await asking
    assert.ok(answered > 10, `${answered} answers`)
  })

  it('keeps the old version where the new one cannot be loaded, tries it again, and says so', async () => {
    await using place = await openPlace({ 1: identity() })
    await using opened = openCatalog({ pollMs: POLL_MS, maxLoadRetries: 1, loadRetryMs: RETRY_MS })
    const { catalog } = opened
    await (await catalog.prepare([toSingleModel('m', place.basePath)]))()
    await addVersion(place.basePath, 2, Buffer.from('half'))
    opened.wake(POLL_MS)
    await untilTrue(async () => opened.waits().includes(RETRY_MS))
    assert.equal(opened.states('m'), '1 AVAILABLE, 2 LOADING')
    opened.wake(RETRY_MS)
    await untilTrue(async () => opened.states('m') === '1 AVAILABLE, 2 END')
    const { error } = catalog.versions('m')[1] ?? {}
    assert.equal(error?.code, 'INVALID_ARGUMENT')
    assert.match(error?.message ?? '', /^Cannot load the model: ONNX Runtime says ".*Protobuf parsing failed/)
    assert.equal(opened.log.filter(line => line.startsWith('not loaded')).length, 2)
    assert.equal(catalog.find({ name: 'm' }).version, 1)
    // A copy that was not whole yet: it is tried again once its file is another.
    await writeFile(join(place.basePath, '2', 'model.onnx'), toDouble())
    opened.wake(POLL_MS)
    await untilTrue(async () => opened.states('m') === '1 END, 2 AVAILABLE')
  })

  it('unloads versions whose folder is gone, and keeps all where it cannot look', async () => {
    await using place = await openPlace({ 1: identity(), 2: identity() })
    await using opened = openCatalog({ pollMs: POLL_MS })
    await (await opened.catalog.prepare([withPolicy(place.basePath, { kind: 'all' })]))()
    await rm(join(place.basePath, '2'), { recursive: true })
    opened.wake(POLL_MS)
    await untilTrue(async () => opened.states('m') === '1 AVAILABLE, 2 END')
    await rm(place.basePath, { recursive: true })
    opened.wake(POLL_MS)
    await untilTrue(async () => /no versions found .*there is no such folder/.test(opened.log.at(-1) ?? ''))
    assert.equal(opened.states('m'), '1 AVAILABLE, 2 END')
  })

  it('waits for a first version where it looks again, and is not ready before', async () => {
    await using place = await openPlace({})
    await using opened = openCatalog({ pollMs: POLL_MS })
    const begun = (await opened.catalog.prepare([toSingleModel('m', place.basePath)]))()
    await addVersion(place.basePath, 1, identity())
    assert.equal(opened.catalog.isReady, false)
    opened.wake(POLL_MS)
    await begun
    assert.deepEqual([opened.states('m'), opened.catalog.isReady], ['1 AVAILABLE', true])
  })

  it('waits no longer for a first version of a model that is not wanted any more', async () => {
    await using place = await openPlace({})
    await using opened = openCatalog({ pollMs: POLL_MS })
    const begun = (await opened.catalog.prepare([toSingleModel('m', place.basePath)]))()
    await opened.catalog.reload([])
    await begun
    assert.deepEqual([opened.catalog.names, opened.catalog.isReady], [[], false])
  })

  it('is ready with what could be loaded, and fails where nothing could', async () => {
    await using good = await openPlace({ 1: identity() })
    await using bad = await openPlace({ 1: Buffer.from('bad') })
    await using both = openCatalog()
    await (await both.catalog.prepare([toSingleModel('a', good.basePath), toSingleModel('b', bad.basePath)]))()
    assert.deepEqual([both.states('a'), both.states('b'), both.catalog.isReady], ['1 AVAILABLE', '1 END', true])
    await using one = openCatalog()
    const begin = await one.catalog.prepare([toSingleModel('b', bad.basePath)])
    await assert.rejects(begin(), { code: 'MODEL_LOAD' })
  })

  it('unloads and loads by name, again where it is loaded', async () => {
    await using place = await openPlace({ 1: identity() })
    await using opened = openCatalog({ pollMs: POLL_MS })
    const { catalog } = opened
    await (await catalog.prepare([toSingleModel('m', place.basePath)]))()
    await catalog.unload('m')
    assert.deepEqual([opened.states('m'), catalog.isReady, catalog.names], ['1 END', false, ['m']])
    assert.throws(() => catalog.find({ name: 'm' }), { code: 'NOT_FOUND' })
    opened.wake(POLL_MS)
    await untilTrue(async () => opened.waits().length > 0)
    assert.equal(opened.states('m'), '1 END')
    await catalog.load('m')
    assert.equal(await infer(catalog.find({ name: 'm' })), 1)
    await writeFile(join(place.basePath, '1', 'model.onnx'), toDouble())
    await catalog.load('m')
    assert.deepEqual([opened.states('m'), await infer(catalog.find({ name: 'm' }))], ['1 AVAILABLE', 2])
    await writeFile(join(place.basePath, '1', 'model.onnx'), 'bad')
    await assert.rejects(catalog.load('m'), {
      code: 'LOAD_FAILED',
      message: /^1 model\(s\) did not become available: {m/,
    })
    assert.equal(await infer(catalog.find({ name: 'm' })), 2)
    await assert.rejects(catalog.load('z'), { code: 'NOT_FOUND' })
    await assert.rejects(catalog.unload('z'), { code: 'NOT_FOUND' })
  })

  it('loads nothing by itself where it never looks', async () => {
    await using place = await openPlace({ 1: identity() })
    await using opened = openCatalog({ pollMs: -1 })
    await (await opened.catalog.prepare([toSingleModel('m', place.basePath)]))()
    assert.deepEqual([opened.states('m'), opened.catalog.isReady], ['', false])
    await opened.catalog.load('m')
    assert.deepEqual([opened.states('m'), opened.catalog.isReady], ['1 AVAILABLE', true])
  })

  describe('reload()', () => {
    it('loads new models, follows changed ones, and unloads absent ones', async () => {
      await using a = await openPlace({ 1: identity() })
      await using b = await openPlace({ 1: toDouble(), 2: identity() })
      await using opened = openCatalog()
      const { catalog } = opened
      await (await catalog.prepare([toSingleModel('a', a.basePath)]))()
      await catalog.reload([toSingleModel('b', b.basePath)])
      assert.deepEqual([catalog.names, opened.states('b'), opened.states('a')], [['b'], '2 AVAILABLE', ''])
      const older = { ...toSingleModel('b', b.basePath), policy: { kind: 'specific', versions: [1] } as const }
      await catalog.reload([older])
      assert.equal(opened.states('b'), '1 AVAILABLE, 2 END')
      await catalog.reload([])
      assert.deepEqual([catalog.names, catalog.isReady], [[], false])
    })

    it('loads a model again that was unloaded, and follows its folder from then on', async () => {
      await using place = await openPlace({ 1: identity() })
      await using opened = openCatalog({ pollMs: POLL_MS })
      const { catalog } = opened
      const config = toSingleModel('m', place.basePath)
      await (await catalog.prepare([config]))()
      await catalog.unload('m')
      await catalog.reload([config])
      assert.equal(opened.states('m'), '1 AVAILABLE')
      await addVersion(place.basePath, 2, toDouble())
      opened.wake(POLL_MS)
      await untilTrue(async () => opened.states('m') === '1 END, 2 AVAILABLE')
    })

    it('leaves all as it was where a model cannot be loaded', async () => {
      await using a = await openPlace({ 1: identity(), 2: Buffer.from('bad') })
      await using opened = openCatalog()
      const { catalog } = opened
      const before = { ...toSingleModel('a', a.basePath), policy: { kind: 'specific', versions: [1] } as const }
      await (await catalog.prepare([before]))()
      const nowhere = toSingleModel('b', join(a.basePath, 'nowhere'))
      await assert.rejects(catalog.reload([nowhere]), {
        code: 'LOAD_FAILED',
        message: /{b due to error: .*no such folder/,
      })
      assert.deepEqual([catalog.names, opened.states('a')], [['a'], '1 AVAILABLE'])
      await assert.rejects(catalog.reload([toSingleModel('a', a.basePath)]), {
        code: 'LOAD_FAILED',
        message: /parsing failed/,
      })
      assert.equal(opened.states('a'), '1 AVAILABLE, 2 END')
      assert.equal(catalog.find({ name: 'a' }).version, 1)
    })

    it('puts labels on versions that are available, and on others where that is allowed', async () => {
      await using place = await openPlace({ 1: identity(), 2: toDouble() })
      const all = (labels: object): ModelConfig => withPolicy(place.basePath, { kind: 'all' }, labels)
      const refused = {
        code: 'PRECONDITION',
        message: 'Request to assign label to version 3 of model m, which is not currently available for inference',
      }
      await using opened = openCatalog()
      await (await opened.catalog.prepare([all({})]))()
      await opened.catalog.reload([all({ stable: 1 })])
      assert.equal(opened.catalog.find({ name: 'm', label: 'stable' }).version, 1)
      await assert.rejects(opened.catalog.reload([all({ stable: 3 })]), refused)
      assert.equal(opened.catalog.find({ name: 'm', label: 'stable' }).version, 1)
      await using lenient = openCatalog({ allowLabelsOnUnavailable: true })
      await (await lenient.catalog.prepare([all({ stable: 1 })]))()
      await lenient.catalog.reload([all({ stable: 1, canary: 3 })])
      await assert.rejects(lenient.catalog.reload([all({ stable: 3 })]), refused)
    })

    it('refuses names, folders and labels that cannot be', async () => {
      await using opened = openCatalog()
      await (await opened.catalog.prepare([]))()
      const wrong: readonly [ModelConfig[], RegExp][] = [
        [[toSingleModel('a/b', '/m')], /^Cannot use "a\/b" as a model's name/],
        [[toSingleModel('a', '/m'), toSingleModel('a', '/n')], /^Illegal to list model a multiple times/],
        [[toSingleModel('a', 'm')], /to have an absolute path or URI; got base_path\(\)=m$/],
        [[toSingleModel('a', 's3://b/m')], /^Cannot read model a from s3:\/\/b\/m: expected a local folder$/],
        [[withPolicy('/m', { kind: 'all' }, { 'a:b': 1 })], /^Cannot use "a:b" as a label of model m$/],
      ]
      for (const [configs, message] of wrong)
        await assert.rejects(opened.catalog.reload(configs), { code: 'BAD_REQUEST', message })
    })
  })
})
