import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { RegattaError } from '../../core/errors.ts'
import { type ElfNeeds, readElfNeeds } from './elf.ts'

const program = readFileSync('/bin/true')

async function readBytes(bytes: Buffer): Promise<ElfNeeds | undefined> {
  return await readElfNeeds(async (offset, length) => bytes.subarray(offset, offset + length))
}

describe('readElfNeeds()', () => {
  it('reads the loader and the libraries of a program of this system', async () => {
    const needs = await readBytes(program)
    assert.equal(needs?.architecture, process.arch === 'arm64' ? 'arm64' : 'amd64')
    assert.match(needs?.loader ?? '', /^\/lib.*ld-linux/)
    assert.ok(needs?.libraries.includes('libc.so.6'))
  })

  it('tells other files by their first bytes', async () => {
    for (const text of ['', '#!/bin/sh', '\x7fEL'])
      assert.equal(await readBytes(Buffer.from(text, 'latin1')), undefined)
  })

  it('refuses other processors, and files that end early', async () => {
    const other = Buffer.from(program)
    other.writeUInt16LE(8, 18)
    await assert.rejects(readBytes(other), { code: 'ELF_FORMAT', message: /x86-64 or arm64/ })
    for (const length of [4, 63, 64, 500, 1000]) {
      await assert.rejects(readBytes(program.subarray(0, length)), { code: 'ELF_FORMAT' }, String(length))
    }
  })

  it('never fails otherwise on damaged headers', async () => {
    const damage = fc.array(fc.tuple(fc.nat({ max: 1023 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(damage, async changes => {
        const bytes = Buffer.from(program)
        for (const [at, value] of changes) bytes[at] = value
        await readBytes(bytes).catch(error => assert.ok(error instanceof RegattaError, String(error)))
      }),
      { numRuns: 500 },
    )
  })
})
