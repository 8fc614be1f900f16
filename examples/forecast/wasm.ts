// A small assembler for WebAssembly. An expression or statement is its bytes; larger ones are made by joining.
// Source: WebAssembly Core Specification 2.0, chapter 5 (binary format).

/** Bytes of an expression or of statements. */
export type Code = readonly number[]

/** A parameter or a local variable of the function that is being written. */
export interface Variable {
  readonly get: Code
  set(value: Code): Code
}

/** A whole function, exported under its name. Parameters are i32; it returns nothing. */
export interface WasmFunction {
  readonly name: string
  readonly parameters: number
  readonly locals: readonly number[]
  readonly body: Code
}

const TYPE = { i32: 0x7f, v128: 0x7b } as const
const SIMD = 0xfd
/** Limits of a memory that is shared and has a maximum (threads proposal, part of WebAssembly 3.0). */
const SHARED = 0x03
/** Pages of 64 KiB in 4 GiB. */
const MAX_PAGES = 65_536
/** Alignment promised by each access: 2^2 bytes. */
const ALIGN = 2

/** Operations on 32-bit integers. */
export const i32 = {
  const: (value: number): Code => [0x41, ...toSigned(value)],
  add: (x: Code, y: Code): Code => [...x, ...y, 0x6a],
  sub: (x: Code, y: Code): Code => [...x, ...y, 0x6b],
}

/** Operations on four floats at a time. */
export const f32x4 = {
  greater: (x: Code, y: Code): Code => [...x, ...y, SIMD, 0x44],
  add: (x: Code, y: Code): Code => [...x, ...y, SIMD, ...toUnsigned(0xe4)],
  multiply: (x: Code, y: Code): Code => [...x, ...y, SIMD, ...toUnsigned(0xe6)],
  /** `x < y ? y : x` in each lane. */
  pseudoMax: (x: Code, y: Code): Code => [...x, ...y, SIMD, ...toUnsigned(0xeb)],
}

/** Operations on 16 bytes, whatever they hold. Offsets are bytes added to the address. */
export const v128 = {
  zero: [SIMD, 0x0c, ...new Array<number>(16).fill(0)] as Code,
  load: (address: Code, offset = 0): Code => [...address, SIMD, 0x00, ALIGN, ...toUnsigned(offset)],
  /** One 32-bit value, copied into all four lanes. */
  loadSplat: (address: Code): Code => [...address, SIMD, 0x09, ALIGN, 0],
  store: (address: Code, value: Code, offset = 0): Code => [
    ...address,
    ...value,
    SIMD,
    0x0b,
    ALIGN,
    ...toUnsigned(offset),
  ],
  and: (x: Code, y: Code): Code => [...x, ...y, SIMD, 0x4e],
}

/** Adds `amount` to a variable. */
export const advance = (variable: Variable, amount: Code): Code => variable.set(i32.add(variable.get, amount))

/** Runs `body`, takes `by` from the counter, and repeats until the counter is 0; it starts as a positive multiple. */
export function repeat(counter: Variable, by: number, body: Code): Code {
  const LOOP = [0x03, 0x40]
  const BRANCH_IF = [0x0d, 0]
  const END = 0x0b
  return [...LOOP, ...body, ...counter.set(i32.sub(counter.get, i32.const(by))), ...counter.get, ...BRANCH_IF, END]
}

/** Writes one function; `write` gets its parameters by name and a way to declare local variables. */
export function toFunction<const Names extends readonly string[]>(
  name: string,
  parameters: Names,
  write: (parameter: Readonly<Record<Names[number], Variable>>, local: (type: keyof typeof TYPE) => Variable) => Code,
): WasmFunction {
  const locals: number[] = []
  const named = parameters.map((key, i) => [key, toVariable(i)])
  const body = write(Object.fromEntries(named), type => toVariable(parameters.length + locals.push(TYPE[type]) - 1))
  return { name, parameters: parameters.length, locals, body }
}

/** Joins functions into a module that imports its memory, which threads may share, as `env.memory`. */
export function toModule(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
  const types = functions.map(f => [0x60, ...toVector(new Array<Code>(f.parameters).fill([TYPE.i32])), 0])
  const memory = [...toText('env'), ...toText('memory'), 0x02, SHARED, 1, ...toUnsigned(MAX_PAGES)]
  const bodies = functions.map(f => [...toVector(f.locals.map(type => [1, type])), ...f.body, 0x0b])
  return Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...toSection(1, types),
    ...toSection(2, [memory]),
    ...toSection(
      3,
      functions.map((_, i) => [i]),
    ),
    ...toSection(
      7,
      functions.map((f, i) => [...toText(f.name), 0x00, i]),
    ),
    ...toSection(
      10,
      bodies.map(body => [...toUnsigned(body.length), ...body]),
    ),
  ])
}

function toVariable(index: number): Variable {
  return { get: [0x20, ...toUnsigned(index)], set: value => [...value, 0x21, ...toUnsigned(index)] }
}

function toSection(id: number, items: readonly Code[]): Code {
  const content = toVector(items)
  return [id, ...toUnsigned(content.length), ...content]
}

const toVector = (items: readonly Code[]): Code => [...toUnsigned(items.length), ...items.flat()]
const toText = (text: string): Code => [...toUnsigned(text.length), ...Buffer.from(text, 'ascii')]

/** LEB128, unsigned: seven bits a byte, the lowest first. */
function toUnsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...toUnsigned(value >>> 7)]
}

/** LEB128, signed: ends where the remaining bits all equal bit 6 of the last byte. */
function toSigned(value: number): number[] {
  return value >= -64 && value < 64 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...toSigned(value >> 7)]
}
