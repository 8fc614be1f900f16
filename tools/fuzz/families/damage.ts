import type { Draw } from '../draw.ts'

/** Bytes that parsers trip over. */
const NASTY = [0x00, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x5b, 0x5c, 0x7b, 0x7d, 0x7f, 0x80, 0xc0, 0xed, 0xf8, 0xff]

/** Does up to four random damages to bytes: flips, cuts, doubled and inserted parts. */
export function damage(draw: Draw, bytes: Buffer): Buffer {
  let damaged = bytes
  for (let times = draw.between(1, 4); times > 0; times--) damaged = damageOnce(draw, damaged)
  return damaged
}

function damageOnce(draw: Draw, bytes: Buffer): Buffer {
  const at = draw.below(bytes.length + 1)
  const end = Math.min(bytes.length, at + draw.between(1, 16))
  const [head, middle, tail] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)]
  switch (draw.below(6)) {
    case 0:
      return Buffer.concat([head, Buffer.of(draw.pick(NASTY)), middle.subarray(1), tail])
    case 1:
      return Buffer.concat([head, Buffer.of((middle[0] ?? 0) ^ (1 << draw.below(8))), middle.subarray(1), tail])
    case 2:
      return Buffer.from(head)
    case 3:
      return Buffer.concat([head, tail])
    case 4:
      return Buffer.concat([head, middle, middle, tail])
    default:
      return Buffer.concat([head, draw.chance(0.5) ? draw.bytes(4) : Buffer.alloc(4, draw.pick(NASTY)), middle, tail])
  }
}
