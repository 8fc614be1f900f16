import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { untilTrue } from '../testing/until-true.ts'
import { readMemory } from './memory.node.ts'
import { watchMemory } from './memory-watch.node.ts'

/** Reads files that say so; an undefined one is not there. */
function readFrom(limit: string, usage?: string, statistics?: string): ReturnType<typeof readMemory> {
  const folder = mkdtempSync(join(tmpdir(), 'regatta-memory-'))
  try {
    for (const [name, text] of Object.entries({ limit, usage, statistics }))
      if (text !== undefined) writeFileSync(join(folder, name), text)
    const place = { limit: join(folder, 'limit'), usage: join(folder, 'usage'), statistics: join(folder, 'statistics') }
    return readMemory([{ limit: join(folder, 'none'), usage: '', statistics: '' }, place])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('readMemory()', () => {
  it('leaves out files that can be read again, as both versions of control groups count them', () => {
    const wanted = { heldBytes: 700, limitBytes: 1000 }
    assert.deepEqual(readFrom('1000\n', '900\n', 'anon 5\ninactive_file 200\n'), wanted)
    assert.deepEqual(readFrom('1000\n', '900\n', 'total_inactive_file 200\n'), wanted)
  })

  it('tells nothing where there is no limit, or no file', () => {
    assert.equal(readFrom('max\n', '900\n', 'inactive_file 200\n'), undefined)
    assert.equal(readFrom('9223372036854771712\n', '900\n', 'inactive_file 200\n'), undefined)
    assert.equal(readFrom('1000\n'), undefined)
  })
})

describe('watchMemory()', () => {
  /** Looks until all was read; what the log was told. */
  async function watch(held: readonly number[]): Promise<readonly unknown[]> {
    const left = [...held]
    const told: unknown[] = []
    const note = (detail: unknown): void => void told.push(detail)
    const logger = { info: note, warn: note, error: note }
    const read = () => ({ heldBytes: left.shift() ?? 0, limitBytes: 160 })
    using _ = watchMemory({ logger, periodMs: 1, read })
    await untilTrue(async () => left.length === 0)
    return told
  }

  it('tells of each height that is a step above the one before', async () => {
    const told = await watch([20, 29, 30, 10, 39, 100, 100])
    assert.deepEqual(
      told.map(detail => (detail as { readonly heldBytes: number }).heldBytes),
      [20, 30, 100],
    )
  })
})
