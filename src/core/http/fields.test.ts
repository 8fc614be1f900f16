import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseField, toFieldLine } from './fields.ts'

describe('parseField()', () => {
  it('reads a name in lower case and a value without the space around it', () => {
    assert.deepEqual(parseField('X-Y:\t a:b '), { name: 'x-y', value: 'a:b' })
    assert.deepEqual(parseField('empty:'), { name: 'empty', value: '' })
    assert.deepEqual(parseField('x: \t '), { name: 'x', value: '' })
    assert.deepEqual(parseField('x: \xe4'), { name: 'x', value: '\xe4' })
  })

  it('keeps the bytes of a letter in UTF-8', () => {
    const letters = Buffer.from('à').toString('latin1')
    assert.equal(parseField(`x: ${letters}`)?.value, letters)
  })

  for (const line of ['', 'x', ': y', 'x : y', 'x[: y', ' x: y', 'x: y\n', 'x: y\rz', 'x: \0', 'x: \u{20ac}'])
    it(`reads none from ${JSON.stringify(line)}`, () => assert.equal(parseField(line), undefined))
})

describe('toFieldLine()', () => {
  it('writes a line that is read as the same', () => {
    assert.equal(toFieldLine('x-y', 'a \xe4'), 'x-y: a \xe4\r\n')
  })

  for (const [name, value] of [
    ['', 'y'],
    ['x y', 'z'],
    ['x:', 'y'],
    ['x', 'y\r\nz: 1'],
    ['x', '\u{20ac}'],
  ] as const)
    it(`writes none of ${JSON.stringify([name, value])}`, () => assert.equal(toFieldLine(name, value), undefined))
})
