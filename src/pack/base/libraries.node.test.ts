import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { findLibraries } from './libraries.node.ts'

const binding = join(
  dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')),
  `bin/napi-v6/linux/${process.arch}`,
)
const natives = ['onnxruntime_binding.node', 'libonnxruntime.so.1'].map(name => join(binding, name))

/** What the system's own loader finds. */
function askLoader(path: string): ReadonlyMap<string, string> {
  const lines = execFileSync('ldd', [path], { encoding: 'utf8' }).split('\n')
  const found = lines.map(line => /^\s*(\S+) => (\/\S+)/.exec(line)).filter(match => match !== null)
  return new Map(found.map(([, name = '', file = '']) => [name, realpathSync(file)]))
}

describe('findLibraries()', () => {
  it('finds what the loader finds, for Node and ONNX Runtime', async () => {
    const { libraries, loader } = await findLibraries(process.execPath, natives)
    const wanted = new Map([process.execPath, ...natives].flatMap(path => [...askLoader(path)]))
    wanted.delete('libonnxruntime.so.1')
    for (const [name, path] of wanted) assert.equal(realpathSync(libraries.get(name) ?? '/'), path, name)
    const extra = [...libraries.keys()].filter(name => !wanted.has(name))
    assert.deepEqual(
      extra.filter(name => !name.startsWith('libnss_') && name !== 'libresolv.so.2'),
      [],
    )
    assert.match(loader ?? '', /ld-linux/)
  })

  it('names the library that is missing and who needs it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'regatta-libraries-'))
    try {
      const program = join(folder, 'program')
      copyFileSync('/bin/true', program)
      const bytes = readFileSync(program)
      bytes.write('libx', bytes.indexOf('libc.so.6'))
      writeFileSync(program, bytes)
      await assert.rejects(findLibraries(program, []), {
        code: 'BASE_LIBRARY',
        message: new RegExp(`"libx\\.so\\.6" that "${program}" needs`),
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('refuses what is no program', async () => {
    await assert.rejects(findLibraries(import.meta.filename, []), { code: 'BASE_PLATFORM' })
    await assert.rejects(findLibraries('/nowhere/node', []), { code: 'BASE_PLATFORM' })
  })
})
