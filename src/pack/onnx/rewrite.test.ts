import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toField } from '../../core/protobuf.ts'
import { openOnnxEngine } from '../../serve/index.ts'
import { type Comparison, compareModels } from './compare.ts'
import { readModel } from './graph.ts'
import { rewriteLoops } from './rewrite.ts'

const read = async (name: string): Promise<Uint8Array> =>
  await readFile(join(import.meta.dirname, 'testing', `${name}.onnx`))

/** Runs both models, in ONNX Runtime. */
async function compare(before: Uint8Array, after: Uint8Array): Promise<Comparison | { readonly problem: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'regatta-loops-'))
  try {
    const [one, two] = [join(folder, 'before.onnx'), join(folder, 'after.onnx')]
    await writeFile(one, before)
    await writeFile(two, after)
    await using old = await openOnnxEngine({ path: one, intraOpThreads: 1 })
    await using next = await openOnnxEngine({ path: two, intraOpThreads: 1 })
    return await compareModels(old, next, { now: () => performance.now(), signal: new AbortController().signal })
  } finally {
    await rm(folder, { recursive: true })
  }
}

const listOps = (bytes: Uint8Array): readonly string[] => readModel(bytes).graph.nodes.map(({ op }) => op)

describe('rewriteLoops()', () => {
  const known = [
    ['from_function', 'function', ['RNN']],
    ['a SavedModel', 'saved-model', ['RNN']],
    ["Keras' own export", 'keras-export', ['RNN']],
    ['the last state alone, with tanh', 'last-state', ['RNN']],
    ['any number of steps, each state and the last one', 'open-length', ['RNN']],
    ['one row, with Gemm in the place of MatMul', 'one-row', ['RNN']],
    ['a GRU', 'gru', ['GRU']],
    ['the last state of a GRU over any number of steps', 'gru-last', ['GRU']],
    ['two layers, backwards, without bias, with sigmoid and relu', 'two-layers', ['RNN', 'RNN']],
  ] as const
  for (const [name, file, operators] of known) {
    it(`gives an equal model for ${name}`, async () => {
      const before = await read(file)
      const { bytes = before, loops } = rewriteLoops(before)
      assert.deepEqual(
        loops.map(({ operator, reason }) => [operator, reason]),
        operators.map(operator => [operator, null]),
      )
      const ops = listOps(bytes)
      assert.deepEqual(
        ops.filter(op => ['Loop', 'RNN', 'GRU'].includes(op)),
        operators,
      )
      const found = await compare(before, bytes)
      assert.ok('inputs' in found, JSON.stringify(found))
      assert.equal(found.inputs, 8)
      assert.ok(found.error <= 1e-6, `off by ${found.error}`)
    })
  }

  const other = [
    ['a mask', 'masked', 'it carries 2 states'],
    ['a cell of its own', 'leaky', 'a step is neither that of a simple RNN nor that of a GRU'],
    [
      'a GRU that resets before its matrix',
      'gru-reset-first',
      'a step is neither that of a simple RNN nor that of a GRU',
    ],
    ['a first state from outside', 'given-state', 'its first state is not zero'],
  ] as const
  for (const [name, file, reason] of other) {
    it(`leaves a loop with ${name} as it is`, async () => {
      const { bytes, loops } = rewriteLoops(await read(file))
      assert.equal(bytes, undefined)
      assert.deepEqual(
        loops.map(({ operator, reason }) => [operator, reason]),
        [[null, reason]],
      )
    })
  }

  it('leaves a loop as it is that stops before its last step', async () => {
    const bytes = Buffer.from(await read('function'))
    // The bound of the counter, 6 steps, as a float32 that becomes 5.
    const [six, five] = [6, 5].map(value => Buffer.from(Float32Array.of(value).buffer))
    assert.ok(six && five)
    for (let at = bytes.indexOf(six); at !== -1; at = bytes.indexOf(six, at)) five.copy(bytes, at)
    assert.deepEqual(
      rewriteLoops(bytes).loops.map(({ reason }) => reason),
      ['it may stop before its last step'],
    )
  })

  it('finds nothing to do in what it wrote', async () => {
    const { bytes = new Uint8Array() } = rewriteLoops(await read('function'))
    assert.deepEqual(rewriteLoops(bytes), { loops: [], bytes: undefined })
  })

  it('gives the same bytes for the same bytes', async () => {
    const before = await read('two-layers')
    assert.deepEqual(rewriteLoops(before).bytes, rewriteLoops(Uint8Array.from(before)).bytes)
  })

  it('keeps all that the loop does not need, and nothing that it alone needed', async () => {
    const before = readModel(await read('function'))
    const after = readModel(rewriteLoops(await read('function')).bytes ?? new Uint8Array())
    const names = (constants: ReadonlyMap<string, unknown>): readonly string[] => [...constants.keys()]
    const gone = names(before.graph.constants).filter(name => !after.graph.constants.has(name))
    // The counter's start and the condition's bound went, the weights and the layer behind the loop stayed.
    assert.ok(gone.some(name => name.endsWith('/time:0')))
    assert.ok(!gone.some(name => name.includes('ReadVariableOp')))
    assert.deepEqual(after.graph.outputs, before.graph.outputs)
    assert.ok(!listOps(rewriteLoops(await read('function')).bytes ?? new Uint8Array()).includes('Less'))
    for (const field of [1, 8]) {
      const pick = ({ fields }: typeof before) =>
        fields.filter(({ number }) => number === field).map(({ varint }) => varint)
      assert.deepEqual(pick(after), pick(before))
    }
  })

  it('finds no loops in what is no model', () => {
    assert.deepEqual(rewriteLoops(Buffer.from('{"a":1}')), { loops: [], bytes: undefined })
  })

  it('finds no loops in a graph that goes in circles', () => {
    const node = Buffer.concat([toField(1, 'a'), toField(2, 'a'), toField(4, 'Identity')])
    const model = Buffer.concat([toField(1, 8), toField(7, toField(1, node))])
    assert.deepEqual(rewriteLoops(model), { loops: [], bytes: undefined })
  })

  it('reads a damaged model or finds no loops in it', async () => {
    const model = await read('function')
    const place = fc.tuple(fc.nat(model.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(place, { minLength: 1, maxLength: 4 }), places => {
        const damaged = Uint8Array.from(model)
        for (const [at, byte] of places) damaged[at] = byte
        assert.ok(rewriteLoops(damaged).loops.length <= 1)
      }),
      { numRuns: 300 },
    )
  })
})

describe('compareModels()', () => {
  it('tells apart a model whose answers to the same inputs drift', async () => {
    const before = await read('chaotic')
    const { bytes = before } = rewriteLoops(before)
    const found = await compare(before, bytes)
    assert.match('problem' in found ? found.problem : 'none', /^it answers otherwise, off by \d\.\de[-+]\d+$/)
  })

  it('tells apart models of other shapes', async () => {
    const found = await compare(await read('function'), await read('keras-export'))
    assert.deepEqual(found, { problem: 'it gives other outputs' })
  })
})
