import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { build } from 'rolldown'
import { builtins } from './builtins.ts'

const SOURCES: Readonly<Record<string, string>> = {
  entry: `import whole, { readFileSync as read } from 'node:fs'
import * as path from 'path'
import { 'join' as join } from 'node:path'
import { part } from 'part'
export const found = [whole.readFileSync === read, path.join === join, part]`,
  part: `import { sep } from 'node:path'\nexport const part = sep`,
}

/** What a bundle of `SOURCES` is. */
async function bundle(): Promise<string> {
  const sources = {
    name: 'sources',
    resolveId: (id: string) => (id in SOURCES ? id : null),
    load: (id: string) => SOURCES[id] ?? null,
  }
  const { output } = await build({ input: 'entry', platform: 'node', plugins: [sources, builtins], write: false })
  return output[0].code
}

describe('builtins', () => {
  it('leaves no import of a module of Node', async () => {
    assert.doesNotMatch(await bundle(), /^import /m)
  })

  it('gives each name what an import would', async () => {
    const code = Buffer.from(await bundle()).toString('base64')
    const { found }: { readonly found: readonly unknown[] } = await import(`data:text/javascript;base64,${code}`)
    assert.deepEqual(found, [true, true, '/'])
  })
})
