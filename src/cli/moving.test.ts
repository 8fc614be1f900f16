import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDigest } from '../core/brands.ts'
import type { Moved, TransferEvent } from '../oci/index.ts'
import type { PackedImage, PackedLayer } from '../pack/index.ts'
import { toMovedJson, toMovingView, toPushedJson } from './moving.ts'
import { toExplainedLines, toPackedJson, toPackedLines } from './packed-view.ts'

const toDigest = (letter: string) => parseDigest(`sha256:${letter.repeat(64)}`)
const MB = 1_000_000

/** What `pack`, `push` and `copy` all tell, in this order. */
const KEYS = ['schema', 'reference', 'digest', 'mediaType', 'size', 'layers', 'uploadedBytes', 'seconds']
const LAYER_KEYS = ['digest', 'size', 'kind', 'reused']

describe('toMovedJson()', () => {
  const moved: Moved = {
    digest: toDigest('a'),
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    size: 500,
    layers: [
      { digest: toDigest('b'), size: 10, how: 'mounted', annotations: { 'dev.regatta.layer': 'base' } },
      { digest: toDigest('c'), size: 20, how: 'uploaded', annotations: {} },
      { digest: toDigest('d'), size: 30, how: 'reused', annotations: { 'dev.regatta.layer': 'model' } },
    ],
    uploadedBytes: 25,
    seconds: 1.5,
  }

  it('has the keys that scripts may rely on, and no others', () => {
    const text = toMovedJson('copy', 'r.io/a:1', moved)
    const document = JSON.parse(text)
    assert.ok(text.endsWith('}\n'))
    assert.deepEqual(Object.keys(document), KEYS)
    assert.deepEqual(
      [document.schema, document.size, document.uploadedBytes, document.seconds],
      ['regatta/copy/v1', 60, 25, 1.5],
    )
    assert.deepEqual(document.layers, [
      { digest: toDigest('b'), size: 10, kind: 'base', reused: true },
      { digest: toDigest('c'), size: 20, kind: null, reused: false },
      { digest: toDigest('d'), size: 30, kind: 'model', reused: true },
    ])
    assert.deepEqual(Object.keys(document.layers[0]), LAYER_KEYS)
  })

  it('says of a push what went beside it', () => {
    const document = JSON.parse(toPushedJson('r.io/a:1', moved, 'r.io/a:regatta-1'))
    assert.deepEqual(Object.keys(document), [...KEYS, 'runtime'])
    assert.deepEqual([document.schema, document.runtime], ['regatta/push/v1', 'r.io/a:regatta-1'])
    assert.equal(JSON.parse(toPushedJson('r.io/a:1', moved, undefined)).runtime, null)
  })

  it('says of a pull what came, beside', () => {
    const { downloadedBytes, uploadedBytes } = JSON.parse(toMovedJson('pull', 'r.io/a:1', moved))
    assert.deepEqual([uploadedBytes, downloadedBytes], [0, 25])
  })
})

describe('toMovingView()', () => {
  const open = (columns: number | undefined) => {
    const shown: string[] = []
    const terminal = columns === undefined ? undefined : { columns: () => columns, rows: () => 24, colours: false }
    let now = 1000
    const view = toMovingView({ err: text => void shown.push(text), terminal, clock: () => now }, 'pushing')
    const tell = (afterMs: number, letter: string, sentBytes: number, state: TransferEvent['state']): void => {
      now += afterMs
      view.onProgress({ digest: toDigest(letter), sizeBytes: 100 * MB, sentBytes, state })
    }
    return { shown, tell, clear: view.clear }
  }

  it('shows what went of all that moves, the rate and the time left', () => {
    const { shown, tell, clear } = open(100)
    tell(0, 'a', 0, 'started')
    tell(0, 'b', 0, 'started')
    tell(0, 'a', 1, 'moving')
    tell(1000, 'a', 50 * MB, 'moving')
    assert.match(shown.at(-1) ?? '', /pushing 50\.0 MB of 200\.0 MB, 50\.0 MB\/s, 3\.0 s left$/)
    tell(1000, 'b', 100 * MB, 'moving')
    assert.match(shown.at(-1) ?? '', /pushing 150\.0 MB of 200\.0 MB, 75\.0 MB\/s, 667 ms left$/)
    clear()
    assert.equal(shown.at(-1), '\r\x1b[2K')
  })

  it('prints a line for each blob that has come, with its rate, where there is no terminal', () => {
    const { shown, tell } = open(undefined)
    for (const letter of ['a', 'b', 'c']) tell(0, letter, 0, 'started')
    tell(0, 'a', 50 * MB, 'moving')
    tell(2000, 'a', 100 * MB, 'uploaded')
    tell(0, 'b', 0, 'mounted')
    tell(0, 'c', 0, 'reused')
    assert.deepEqual(shown, [
      'aaaaaaaaaaaa  100.0 MB  done, 50.0 MB/s\n',
      'bbbbbbbbbbbb  100.0 MB  mounted\n',
      'cccccccccccc  100.0 MB  there already\n',
    ])
  })
})

describe('a packed image', () => {
  const layer = (kind: PackedLayer['kind'], letter: string, sizeBytes: number, reused: boolean): PackedLayer => ({
    ...{ kind, digest: toDigest(letter), sizeBytes, reused, platform: null, why: `why ${kind}` },
    content: kind === 'base' ? null : { files: 3, bytes: 2 * sizeBytes },
  })
  const packed: PackedImage = {
    version: 3,
    digest: toDigest('a'),
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    reference: 'forecast:3',
    sizeBytes: 100 * MB,
    layers: [layer('base', 'b', 40 * MB, true), layer('model', 'c', 60 * MB, false)],
    run: null,
    loops: null,
    repaired: [toDigest('f')],
  }

  it('is told as JSON with the same keys as one that is pushed, and its version', () => {
    const document = toPackedJson(packed, 2, false)
    assert.deepEqual(
      Object.keys(document).filter(key => !['version', 'run', 'repaired', 'loops'].includes(key)),
      KEYS,
    )
    const explained: { layers?: readonly object[] } = toPackedJson(packed, 2, true)
    assert.deepEqual(explained.layers?.[1], {
      ...{ digest: toDigest('c'), size: 60 * MB, kind: 'model', reused: false },
      ...{ why: 'why model', share: 0.6, files: 3, unpacked: 120 * MB },
    })
  })

  it('is told to people: what is new, what each layer costs and why, and what was mended', () => {
    const lines = toPackedLines(packed).split('\n')
    assert.match(lines[1] ?? '', /^base +40\.0 MB +b{12} +reused$/)
    assert.match(lines[2] ?? '', /^model +60\.0 MB +c{12} +new$/)
    assert.deepEqual(lines.slice(3), ['ffffffffffff was damaged and is made again', 'version 3, 100.0 MB', ''])
    const explained = toExplainedLines(packed)
    assert.match(explained, /^model +60\.0 MB +60 % +120\.0 MB +3 +why model$/m)
    assert.match(explained, /^base +40\.0 MB +40 % +why base$/m)
    assert.match(explained, /40\.0 MB without the model\n$/)
  })
})
