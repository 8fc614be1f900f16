import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hideFields } from './hiding.ts'

describe('hideFields()', () => {
  const row = {
    customer: { email: 'a@b.c', age: 41 },
    items: [
      { sku: 'x', note: 'n' },
      { sku: 'y', note: 'm' },
    ],
    features: [1, 2, 3],
  }
  const rows: readonly [name: string, drop: string[][], hash: string[][], wanted: unknown][] = [
    ['nothing', [], [], row],
    ['a field of an object', [['customer', 'email']], [], { ...row, customer: { age: 41 } }],
    ['a whole object', [['customer']], [], { items: row.items, features: row.features }],
    ['a field of every item', [['items', 'note']], [], { ...row, items: [{ sku: 'x' }, { sku: 'y' }] }],
    ['an item, whose place stays', [['features', '1']], [], { ...row, features: [1, null, 3] }],
    ['what is not there', [['customer', 'name', 'first'], ['features', '9'], ['age']], [], row],
    ['a digest', [], [['customer', 'email']], { ...row, customer: { email: '#a@b.c', age: 41 } }],
    ['a digest of what is no text', [], [['customer', 'age']], { ...row, customer: { email: 'a@b.c', age: '#41' } }],
    ['what both are asked for', [['customer', 'email']], [['customer', 'email']], { ...row, customer: { age: 41 } }],
  ]
  for (const [name, drop, hash, wanted] of rows) {
    it(`hides ${name}`, () => {
      const before = structuredClone(row)
      assert.deepEqual(
        hideFields(row, { drop, hash }, text => `#${text}`),
        wanted,
      )
      assert.deepEqual(row, before)
    })
  }

  it('takes rows that are no objects', () => {
    assert.equal(
      hideFields(7, { drop: [['a']], hash: [['b']] }, () => ''),
      7,
    )
  })
})
