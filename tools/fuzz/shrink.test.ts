import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Case, HttpCase } from './case.ts'
import { shrink } from './shrink.ts'

const example: HttpCase = {
  door: 'http',
  family: 'json',
  method: 'POST',
  target: '/v2',
  headers: [
    ['a', '1'],
    ['x-bad', '2'],
    ['c', '3'],
  ],
  body: Buffer.from(`${'{"instances":'.repeat(50)}NaN${'x'.repeat(77)}NaN`),
}
const isBad = async (found: Case): Promise<boolean> =>
  'headers' in found && found.headers.some(([name]) => name === 'x-bad') && found.body.includes('NaN')

describe('shrink()', () => {
  it('leaves of headers and body what the failure needs', async () => {
    const { headers, body } = Object(await shrink(example, isBad))
    assert.deepEqual([headers, String(body)], [[['x-bad', '2']], 'NaN'])
  })

  it('makes bytes of a connection small', async () => {
    const wire: Case = { door: 'wire', family: 'x', wanted: 'any', bytes: Buffer.from('GET / HTTP/1.1\r\n\0\r\n\r\n') }
    const smallest = await shrink(wire, async found => 'bytes' in found && found.bytes.includes(0))
    assert.deepEqual(smallest, { ...wire, bytes: Buffer.of(0) })
  })

  it('gives back what does not fail again', async () => {
    assert.equal(await shrink(example, async () => false), example)
  })

  it('ends, however long the case is', async () => {
    let tries = 0
    const long = { ...example, body: Buffer.alloc(20_000, 'ab') }
    const smallest = await shrink(long, async found => {
      tries += 1
      return 'body' in found && found.body.includes('b'.repeat(1)) && found.headers.length > 1
    })
    assert.ok(tries <= 400)
    assert.ok('body' in smallest && smallest.body.length < 100)
  })
})
