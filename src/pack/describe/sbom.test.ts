import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDigest } from '../../core/brands.ts'
import { toDigest } from '../../oci/index.ts'
import { toLayerText } from '../layer/layer.ts'
import { type ComponentLayer, readComponents, toBaseComponent } from './components.ts'
import { parseSbom, toSbom } from './sbom.ts'

const plan = (kind: ComponentLayer['kind'], files: Readonly<Record<string, string>>): ComponentLayer => ({
  kind,
  entries: Object.entries(files).map(([path, text]) => toLayerText(path, text)),
})
const digestOf = (text: string) => toDigest(new TextEncoder().encode(text))

const LAYERS = [
  plan('base', {
    'etc/passwd': 'root',
    'usr/local/bin/node': 'a program',
    'lib/x86_64-linux-gnu/libc.so.6': 'a library',
    'lib64/ld-linux-x86-64.so.2': 'a loader',
  }),
  plan('runtime', {
    'opt/regatta/server.js': 'serve()',
    'opt/regatta/package.json': '{"type":"module"}',
    'opt/regatta/node_modules/onnxruntime-node/package.json': '{"version":"1.27.0","license":"MIT"}',
    'opt/regatta/node_modules/onnxruntime-node/dist/index.js': 'run()',
    'opt/regatta/node_modules/onnxruntime-node/bin/libonnxruntime.so.1': 'native',
    'opt/regatta/node_modules/@a/b/package.json': '{"version":"2.0.0","license":"SEE LICENSE IN x"}',
    'opt/regatta/node_modules/broken/package.json': '{',
    'app/NumPy_x-2.1.0.dist-info/METADATA': 'Metadata-Version: 2.4\nName: Num_Py.x\nVersion: 2.1.0\n\nVersion: 9',
    'app/odd.dist-info/METADATA': 'nothing',
  }),
  plan('app', { 'opt/regatta/model.json': '{}' }),
  plan('model', { 'models/m/1/model.onnx': 'weights', 'models/m/1/labels.so': 'text' }),
]
const VERSIONS = { regatta: '0.1.0', node: '24.21.0' }
const DIGEST = parseDigest(`sha256:${'ab'.repeat(32)}`)
const SUBJECT = { model: 'forecast', version: 3, digest: DIGEST, createdAt: 1_700_000_000_123, regatta: '0.1.0' }

describe('readComponents()', () => {
  it('finds Node, libraries, packages, bundles and the model, and nothing else', async () => {
    const found = await readComponents(LAYERS, VERSIONS)
    assert.deepEqual(
      found.map(({ kind, license, name, version }) => [kind, name, version, license]),
      [
        ['package', 'Num_Py.x', '2.1.0', undefined],
        ['library', 'libc.so.6', undefined, undefined],
        ['library', 'ld-linux-x86-64.so.2', undefined, undefined],
        ['model', 'labels.so', undefined, undefined],
        ['model', 'model.onnx', undefined, undefined],
        ['package', '@a/b', '2.0.0', undefined],
        ['package', 'broken', undefined, undefined],
        ['library', 'libonnxruntime.so.1', undefined, undefined],
        ['package', 'onnxruntime-node', '1.27.0', 'MIT'],
        ['regatta', 'regatta', '0.1.0', 'Apache-2.0'],
        ['node', 'node', '24.21.0', 'MIT'],
      ],
    )
    const node = found.find(({ kind }) => kind === 'node')
    assert.deepEqual([node?.path, node?.digest], ['/usr/local/bin/node', digestOf('a program')])
    assert.deepEqual(
      found.flatMap(({ purl }) => purl ?? []),
      [
        'pkg:pypi/num-py-x@2.1.0',
        'pkg:npm/%40a/b@2.0.0',
        'pkg:npm/onnxruntime-node@1.27.0',
        'pkg:generic/node@24.21.0',
      ],
    )
  })

  it('claims no version of a Node that does not tell it', async () => {
    const [node] = await readComponents([plan('base', { 'usr/local/bin/node': 'x' })], { ...VERSIONS, node: undefined })
    assert.deepEqual([node?.version, node?.purl], [undefined, undefined])
  })
})

describe('toSbom()', () => {
  const base = toBaseComponent({ name: 'registry.example.com/library/Node:24', digest: DIGEST })

  it('has what SPDX 2.3 asks for, and ids that are each once', async () => {
    const document = JSON.parse(JSON.stringify(toSbom(SUBJECT, [base, ...(await readComponents(LAYERS, VERSIONS))])))
    assert.equal(document.spdxVersion, 'SPDX-2.3')
    assert.equal(document.dataLicense, 'CC0-1.0')
    assert.equal(document.documentNamespace, `https://regatta.dev/spdx/${'ab'.repeat(32)}`)
    // Seconds without fractions (section 6.9).
    assert.deepEqual(document.creationInfo, { created: '2023-11-14T22:13:20Z', creators: ['Tool: regatta-0.1.0'] })
    const ids: string[] = document.packages.map(({ SPDXID }: { SPDXID: string }) => SPDXID)
    assert.equal(new Set(ids).size, 13)
    for (const id of ids) assert.match(id, /^SPDXRef-[A-Za-z0-9.-]+$/)
    for (const found of document.packages) {
      assert.equal(found.downloadLocation, 'NOASSERTION')
      assert.equal(found.filesAnalyzed, false)
      assert.equal(typeof found.licenseDeclared, 'string')
    }
    assert.deepEqual(document.relationships[0], {
      spdxElementId: 'SPDXRef-DOCUMENT',
      relationshipType: 'DESCRIBES',
      relatedSpdxElement: 'SPDXRef-Image',
    })
    const contained = document.relationships.slice(1).map((line: Record<string, string>) => line['relatedSpdxElement'])
    assert.deepEqual(contained, ids.slice(1))
    assert.equal(document.packages[1].externalRefs[0].referenceLocator, `pkg:oci/node@${encodeURIComponent(DIGEST)}`)
  })

  it('is the same for the same layers in another order', async () => {
    const reversed = [...LAYERS].reverse().map(layer => ({ ...layer, entries: [...layer.entries].reverse() }))
    assert.deepEqual(
      toSbom(SUBJECT, await readComponents(reversed, VERSIONS)),
      toSbom(SUBJECT, await readComponents(LAYERS, VERSIONS)),
    )
  })
})

describe('parseSbom()', () => {
  it('reads what toSbom() makes', async () => {
    const written = toSbom(SUBJECT, await readComponents(LAYERS.slice(0, 1), VERSIONS))
    const sbom = parseSbom(JSON.parse(JSON.stringify(written)))
    assert.deepEqual([sbom.name, sbom.image, sbom.packages.length], ['forecast:3', DIGEST, 3])
    assert.deepEqual(sbom.packages[2], {
      name: 'node',
      version: '24.21.0',
      path: '/usr/local/bin/node',
      digest: digestOf('a program'),
    })
  })
  const WRONG = [
    ['no document', []],
    ['another version', { spdxVersion: 'SPDX-3.0' }],
    ['another namespace', { spdxVersion: 'SPDX-2.3', name: 'x', documentNamespace: 'https://x', packages: [] }],
    ['no packages', { spdxVersion: 'SPDX-2.3', name: 'x', documentNamespace: 'https://regatta.dev/spdx/' }],
  ] as const
  for (const [name, value] of WRONG) {
    it(`refuses ${name}`, () => assert.throws(() => parseSbom(value), { code: 'SBOM' }))
  }
})
