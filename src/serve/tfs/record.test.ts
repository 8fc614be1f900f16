import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toRecord } from '../testing/tf-record.ts'
import { parseRecords, toMaskedCrc } from './record.ts'

const records = ['', 'one', 'two'].map(text => Buffer.from(text))
const file = Buffer.concat(records.map(toRecord))

describe('parseRecords()', () => {
  it('reads the records of a file', () => {
    assert.deepEqual(parseRecords(file, 3), records)
    assert.deepEqual(parseRecords(new Uint8Array(), 3), [])
  })

  it("agrees with TensorFlow's checksum: every file of TensorBoard's events begins so", () => {
    const length = Buffer.from('1800000000000000', 'hex')
    assert.equal(toMaskedCrc(length), Buffer.from('a37f4b22', 'hex').readUInt32LE())
  })

  it('refuses a file that is cut off anywhere but between records', () => {
    const ends = [0, 16, 35, 54]
    for (let length = 0; length < file.length; length += 1) {
      const read = () => parseRecords(file.subarray(0, length), 3)
      if (ends.includes(length)) assert.equal(read().length, ends.indexOf(length))
      else assert.throws(read, /a record cut off at byte \d+/)
    }
  })

  it('refuses a byte that was changed, wherever', () => {
    for (let at = 0; at < file.length; at += 1) {
      const changed = Buffer.from(file)
      changed[at] = (changed[at] ?? 0) ^ 1
      assert.throws(() => parseRecords(changed, 3), /checksum/, `byte ${at}`)
    }
  })

  it('refuses more records than the limit', () => {
    assert.throws(() => parseRecords(file, 2), /more than 2 records/)
  })
})
