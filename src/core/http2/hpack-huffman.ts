import { H2Error } from './errors.ts'

/**
 * Bits of the code of each byte, and of the end (RFC 7541, appendix B). The code is canonical: those of one length count
 * up in the order of the bytes, and the shorter come first; so its lengths are the whole code.
 */
const LENGTHS: readonly number[] = [
  ...[13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28],
  ...[28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28],
  ...[6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6],
  ...[5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10],
  ...[13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
  ...[7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6],
  ...[15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5],
  ...[6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28],
  ...[20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23],
  ...[24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24],
  ...[22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23],
  ...[21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23],
  ...[26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25],
  ...[19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27],
  ...[20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23],
  ...[26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26],
  30,
]
const END = 256
const LONGEST = 30
/** A code that is cut off is padding where it is only ones, and shorter than a byte. */
const MAX_PADDING_BITS = 7

/**
 * The code as a machine that takes four bits at a time. Its states are the inner nodes of the code's tree; step
 * `16 * state + bits` is the next state, above it in bits 9 to 16 the byte that was completed, and bit 17 says that one was.
 */
const STATE_BITS = 9
const STATE = (1 << STATE_BITS) - 1
const HAS_BYTE = 1 << 17
/** Four bits lead nowhere: they complete the code of the end, which no text may contain. */
const NOWHERE = -1

interface Machine {
  readonly steps: Int32Array
  /** Whether a text may end in a state. */
  readonly isEnd: readonly boolean[]
}

const MACHINE = toMachine()

/** Undoes the Huffman code of a text. @throws H2Error where it is none */
export function decodeHuffman(bytes: Uint8Array): string {
  // The shortest code has five bits.
  const text = Buffer.allocUnsafe(Math.floor((bytes.length * 8) / 5))
  let length = 0
  let state = 0
  for (let half = 0; half < 2 * bytes.length; half += 1) {
    const byte = bytes[half >>> 1] ?? 0
    const step = MACHINE.steps[16 * state + (half % 2 === 0 ? byte >>> 4 : byte & 15)] ?? NOWHERE
    if (step === NOWHERE) throw new H2Error('COMPRESSION_ERROR', 'A Huffman code contains its end')
    if ((step & HAS_BYTE) !== 0) {
      text[length] = step >>> STATE_BITS
      length += 1
    }
    state = step & STATE
  }
  if (MACHINE.isEnd[state] !== true) throw new H2Error('COMPRESSION_ERROR', 'A Huffman code ends within a byte')
  return text.toString('latin1', 0, length)
}

/** An inner node: where each bit leads, to another (its number) or to a byte (`-1 - byte`). */
type Node = [zero: number | undefined, one: number | undefined]

function toTree(): readonly Node[] {
  const nodes: Node[] = [[undefined, undefined]]
  let code = 0
  for (let length = 1; length <= LONGEST; length += 1) {
    code *= 2
    for (const [byte, bits] of LENGTHS.entries()) {
      if (bits !== length) continue
      enter(nodes, code, length, byte)
      code += 1
    }
  }
  return nodes
}

function enter(nodes: Node[], code: number, length: number, byte: number): void {
  let at = 0
  for (let left = length - 1; left >= 0; left -= 1) {
    const node = nodes[at]
    if (node === undefined) return
    const bit = (code >>> left) & 1
    if (left === 0) node[bit] = -1 - byte
    else at = node[bit] ??= nodes.push([undefined, undefined]) - 1
  }
}

function toMachine(): Machine {
  const nodes = toTree()
  const steps = new Int32Array(16 * nodes.length)
  for (let step = 0; step < steps.length; step += 1) steps[step] = toStep(nodes, step >>> 4, step & 15)
  const isEnd = nodes.map(() => false)
  for (let at = 0, bits = 0; bits <= MAX_PADDING_BITS; bits += 1) {
    isEnd[at] = true
    at = nodes[at]?.[1] ?? 0
  }
  return { steps, isEnd }
}

function toStep(nodes: readonly Node[], state: number, bits: number): number {
  let at = state
  let done = 0
  for (let left = 3; left >= 0; left -= 1) {
    const next = nodes[at]?.[(bits >>> left) & 1] ?? -1 - END
    if (next === -1 - END) return NOWHERE
    if (next >= 0) at = next
    else {
      done = HAS_BYTE | ((-1 - next) << STATE_BITS)
      at = 0
    }
  }
  return done | at
}
