import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toCrc32c } from './crc32c.ts'

describe('toCrc32c()', () => {
  // RFC 3720, appendix B.4; the last is the check value of the catalogue of CRCs.
  const examples: readonly [bytes: Uint8Array, crc: number][] = [
    [new Uint8Array(), 0],
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, at) => at), 0x46dd794e],
    [Buffer.from('123456789'), 0xe3069283],
  ]
  for (const [bytes, crc] of examples) {
    it(`of ${bytes.length} bytes is ${crc.toString(16)}`, () => assert.equal(toCrc32c(bytes), crc))
  }
})
