import {
  advance,
  type Code,
  f32x4,
  i32,
  repeat,
  toFunction,
  toModule,
  type Variable,
  v128,
  type WasmFunction,
} from './wasm.ts'

/**
 * One matrix product C = A·B over matrices that lie in one memory. Positions and strides count elements.
 *
 * Element (i, k) of A is at `a + i * aRow + k * aStep`: a transposed A is the same matrix with its strides exchanged.
 * Rows of B, C and the gate are contiguous. `rows` is a multiple of 4, `columns` of 8, `depth` at least 1.
 */
export interface Product {
  readonly a: number
  readonly aRow: number
  readonly aStep: number
  readonly b: number
  readonly bStep: number
  readonly c: number
  readonly cRow: number
  readonly rows: number
  readonly columns: number
  readonly depth: number
  /** Position and row stride of the matrix that `floor` and `gate` compare with. */
  readonly gate?: number
  readonly gateRow?: number
}

/** Multiplies matrices that lie in its memory. */
export interface Multiplier {
  readonly memory: Float32Array | Float64Array
  /** C = C + A·B. */
  add(product: Product): void
  /** C = the greater of A·B and the gate, element by element. */
  floor(product: Product): void
  /** C = A·B where the gate is above 0, and 0 elsewhere. */
  gate(product: Product): void
}

/** Memory that several threads can multiply in. */
export interface SharedMemory {
  readonly buffer: ArrayBufferLike
}

/** Makes room for `length` floats, at first 0. */
export function toSharedMemory(length: number): SharedMemory {
  const pages = Math.ceil((length * FLOAT_BYTES) / PAGE_BYTES)
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
}

/** Opens a multiplier over `length` floats that runs as WebAssembly on 128-bit vectors. */
export function toWasmMultiplier(length: number, memory: SharedMemory = toSharedMemory(length)): Multiplier {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(KERNELS), { env: { memory } })
  const toMethod = (name: string) => {
    const kernel = exports[name]
    if (typeof kernel !== 'function') throw new Error(`The module has no function "${name}"`)
    return (p: Product): void => {
      const places = [p.a, p.aRow, p.aStep, p.b, p.bStep, p.c, p.cRow, p.gate ?? 0, p.gateRow ?? 0]
      kernel(...places.map(place => place * FLOAT_BYTES), p.rows, p.columns, p.depth)
    }
  }
  return {
    memory: new Float32Array(memory.buffer),
    add: toMethod('add'),
    floor: toMethod('floor'),
    gate: toMethod('gate'),
  }
}

/** What is used of the global that TypeScript declares with the browser's types only (WebAssembly JavaScript API). */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number; shared: boolean }) => SharedMemory
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> }
}

const FLOAT_BYTES = 4
const PAGE_BYTES = 65_536
const VECTOR_BYTES = 16
/** A tile of C stays in registers while the depth is walked: 4 rows of 2 vectors, 8 of the 16 vector registers. */
const TILE_ROWS = 4
const TILE_VECTORS = 2
const VECTOR_OFFSETS = [0, VECTOR_BYTES] as const

/** Order of a kernel's parameters; the first nine are bytes. */
const PARAMETERS = [
  ...(['a', 'aRow', 'aStep', 'b', 'bStep', 'c', 'cRow', 'gate', 'gateRow'] as const),
  ...(['rows', 'columns', 'depth'] as const),
] as const

/** How a kernel begins a sum, and what it stores in the end; addresses are those of the sum's own vector. */
interface Ends {
  start(cAddress: Code, offset: number): Code
  finish(sum: Code, gateAddress: Code, offset: number): Code
}

const KERNELS = toModule([
  toKernel('add', { start: v128.load, finish: sum => sum }),
  toKernel('floor', {
    start: () => v128.zero,
    finish: (sum, gate, offset) => f32x4.pseudoMax(sum, v128.load(gate, offset)),
  }),
  toKernel('gate', {
    start: () => v128.zero,
    finish: (sum, gate, offset) => v128.and(sum, f32x4.greater(v128.load(gate, offset), v128.zero)),
  }),
])

/** Writes the three loops: over panels of columns, in them over tiles of rows, in them over the depth. */
function toKernel(name: string, ends: Ends): WasmFunction {
  return toFunction(name, PARAMETERS, (p, local) => {
    const [columnsLeft, rowsLeft, depthLeft] = [local('i32'), local('i32'), local('i32')]
    const [panel, bAt, aNext, cNext, gateNext] = [local('i32'), local('i32'), local('i32'), local('i32'), local('i32')]
    const aValue = local('v128')
    const vectors = VECTOR_OFFSETS.map(offset => ({ offset, b: local('v128') }))
    const tile = Array.from({ length: TILE_ROWS }, () => ({
      aAt: local('i32'),
      cAt: local('i32'),
      gateAt: local('i32'),
      cells: vectors.map(({ offset, b }) => ({ offset, b, sum: local('v128') })),
    }))

    const takeRow = (at: Variable, next: Variable, stride: Variable): Code => [
      ...at.set(next.get),
      ...advance(next, stride.get),
    ]
    const begin = tile.flatMap(row => [
      ...takeRow(row.aAt, aNext, p.aRow),
      ...takeRow(row.cAt, cNext, p.cRow),
      ...takeRow(row.gateAt, gateNext, p.gateRow),
      ...row.cells.flatMap(({ sum, offset }) => sum.set(ends.start(row.cAt.get, offset))),
    ])
    const step = [
      ...vectors.flatMap(({ b, offset }) => b.set(v128.load(bAt.get, offset))),
      ...tile.flatMap(({ aAt, cells }) => [
        ...aValue.set(v128.loadSplat(aAt.get)),
        ...cells.flatMap(({ sum, b }) => sum.set(f32x4.add(sum.get, f32x4.multiply(aValue.get, b.get)))),
        ...advance(aAt, p.aStep.get),
      ]),
      ...advance(bAt, p.bStep.get),
    ]
    const end = tile.flatMap(({ cAt, gateAt, cells }) =>
      cells.flatMap(({ sum, offset }) => v128.store(cAt.get, ends.finish(sum.get, gateAt.get, offset), offset)),
    )
    const doTile = [
      ...begin,
      ...bAt.set(i32.add(p.b.get, panel.get)),
      ...depthLeft.set(p.depth.get),
      ...repeat(depthLeft, 1, step),
      ...end,
    ]
    const doPanel = [
      ...aNext.set(p.a.get),
      ...cNext.set(i32.add(p.c.get, panel.get)),
      ...gateNext.set(i32.add(p.gate.get, panel.get)),
      ...rowsLeft.set(p.rows.get),
      ...repeat(rowsLeft, TILE_ROWS, doTile),
      ...advance(panel, i32.const(TILE_VECTORS * VECTOR_BYTES)),
    ]
    return [...columnsLeft.set(p.columns.get), ...repeat(columnsLeft, TILE_VECTORS * 4, doPanel)]
  })
}
