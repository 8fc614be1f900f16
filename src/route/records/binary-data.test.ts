import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toBinaryData } from './binary-data.ts'

describe('toBinaryData()', () => {
  // By hand: the bytes of each number in two's complement or IEEE 754, lowest first.
  const table: readonly [datatype: string, hex: string, wanted: readonly (number | boolean | string)[]][] = [
    ['BOOL', '00 01 02', [false, true, true]],
    ['UINT8', '00 ff', [0, 255]],
    ['UINT16', '01 02 ff ff', [0x0201, 65_535]],
    ['UINT32', '01 02 03 04', [0x04030201]],
    ['UINT64', '00 00 00 00 01 00 00 00', [2 ** 32]],
    ['INT8', '7f 80', [127, -128]],
    ['INT16', 'fe ff', [-2]],
    ['INT32', 'fe ff ff ff', [-2]],
    ['INT64', 'fe ff ff ff ff ff ff ff', [-2]],
    ['FP16', '00 3c 00 c1', [1, -2.5]],
    ['FP32', '00 00 20 c0', [-2.5]],
    ['FP64', '00 00 00 00 00 00 04 c0', [-2.5]],
    ['BYTES', '02 00 00 00 c3 a4 00 00 00 00', ['ä', '']],
  ]
  for (const [datatype, hex, wanted] of table)
    it(`reads ${datatype}`, () => {
      // Not at the beginning of its memory.
      const bytes = Buffer.from(`ff${hex.replaceAll(' ', '')}`, 'hex').subarray(1)
      assert.deepEqual(toBinaryData(datatype, bytes), wanted)
    })

  const wrong: readonly [datatype: string, bytes: number, message: RegExp][] = [
    ['FP8', 1, /no such datatype is known$/],
    ['INT32', 5, /expected items of 4 bytes, found 5$/],
    ['BYTES', 3, /its last item is cut off$/],
  ]
  for (const [datatype, bytes, message] of wrong)
    it(`refuses ${bytes} bytes of ${datatype}`, () =>
      assert.throws(() => toBinaryData(datatype, new Uint8Array(bytes)), { message }))
})
