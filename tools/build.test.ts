import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { buildAll } from './build.ts'

const ENTRIES = { 'tool.js': 'bin/tool.ts', 'runtime/server.js': 'src/server.ts' }

/** Every file below a folder, with its content. */
function readFiles(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  const paths = files.map(file => join(file.parentPath, file.name)).sort()
  return new Map(paths.map(path => [path.slice(folder.length + 1), readFileSync(path, 'latin1')]))
}

describe('buildAll()', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'regatta-build-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  /** A folder of sources with the repository's packages. */
  function makeSources(name: string): string {
    const root = join(folder, name)
    for (const path of ['bin', 'src']) mkdirSync(join(root, path), { recursive: true })
    symlinkSync(resolve(import.meta.dirname, '..', 'node_modules'), join(root, 'node_modules'))
    writeFileSync(
      join(root, 'src', 'word.ts'),
      "export const word: string = 'regatta'\nexport class Oar extends Error {}\n",
    )
    writeFileSync(
      join(root, 'bin', 'tool.ts'),
      `const { word } = await import('../src/word.ts')
      console.log(word)
      if (process.argv[2] === 'infer') await import('../src/server.ts')
      `,
    )
    writeFileSync(
      join(root, 'src', 'server.ts'),
      "import { Oar } from './word.ts'\nconst { Tensor } = await import('onnxruntime-node')\nconsole.log(new Tensor('float32', [1, 2]).size, Oar.name)\n",
    )
    return root
  }

  it('makes bundles that run by themselves, native package included', async () => {
    const root = makeSources('a')
    assert.deepEqual(await buildAll({ root, out: join(folder, 'out'), entries: ENTRIES }), [])
    const run = (...args: readonly string[]): string =>
      execFileSync(process.execPath, args, {
        cwd: join(folder, 'out'),
        encoding: 'utf8',
        env: { ORT_DISABLE_TELEMETRY: '1' },
      })
    assert.equal(run('tool.js'), 'regatta\n')
    assert.equal(run('runtime/server.js'), '2 Oar\n')
    // From its own folder too, where no package of that name is installed.
    assert.equal(run('tool.js', 'infer'), 'regatta\n2 Oar\n')
    rmSync(join(folder, 'out', 'runtime', 'node_modules'), { recursive: true })
    assert.equal(run('tool.js'), 'regatta\n', 'loads native code only where it is wanted')
  })

  it('leaves in a command what is loaded late to files beside it, and makes a process one file', async () => {
    const root = makeSources('a')
    writeFileSync(
      join(root, 'src', 'server.ts'),
      `${'x'.repeat(9)};const late = await import('./word.ts');console.log(late)`,
    )
    const out = join(folder, 'out')
    await buildAll({ root, out, entries: ENTRIES })
    assert.doesNotMatch(readFileSync(join(out, 'tool.js'), 'utf8'), /xxxxxxxxx/)
    assert.deepEqual(
      readdirSync(join(out, 'runtime')).filter(name => name.endsWith('.js')),
      ['server.js'],
    )
  })

  it('takes of the native package what images run, on either processor', async () => {
    await buildAll({ root: makeSources('a'), out: join(folder, 'out'), entries: ENTRIES })
    const files = [...readFiles(join(folder, 'out')).keys()]
    const natives = files.filter(path => /\.(node|so[.\d]*)$/.test(path))
    assert.deepEqual(
      natives.map(path => path.slice(path.indexOf('napi-v6/'))),
      ['arm64', 'x64'].flatMap(arch =>
        ['libonnxruntime.so.1', 'onnxruntime_binding.node'].map(name => `napi-v6/linux/${arch}/${name}`),
      ),
    )
    assert.deepEqual(
      files.filter(path => /\.(map|ts|dll|dylib)$/.test(path)),
      [],
    )
  })

  it('writes the same bytes from another folder, and no path of it', async () => {
    const [one, two] = [join(folder, 'one'), join(folder, 'two')]
    await buildAll({ root: makeSources('a'), out: one, entries: ENTRIES })
    await buildAll({ root: makeSources('another/folder'), out: two, entries: ENTRIES })
    assert.deepEqual(readFiles(one), readFiles(two))
    for (const [path, content] of readFiles(one)) {
      if (path.endsWith('.js')) assert.doesNotMatch(content, new RegExp(folder), path)
    }
  })

  it('refuses to load native code before it is wanted', async () => {
    const root = makeSources('a')
    writeFileSync(join(root, 'src', 'server.ts'), "import { Tensor } from 'onnxruntime-node'\nconsole.log(Tensor)\n")
    await assert.rejects(buildAll({ root, out: join(folder, 'out'), entries: ENTRIES }), /await import\(\)/)
    assert.deepEqual(readdirSync(folder), ['a'])
  })

  it('replaces what an earlier build left', async () => {
    const out = join(folder, 'out')
    mkdirSync(out)
    writeFileSync(join(out, 'stale.js'), '')
    await buildAll({ root: makeSources('a'), out, entries: ENTRIES })
    assert.ok(!readdirSync(out).includes('stale.js'))
    assert.deepEqual(readdirSync(folder).sort(), ['a', 'out'])
  })

  it('names what is missing, and builds the rest only where told', async () => {
    const root = makeSources('a')
    const entries = { ...ENTRIES, 'runtime/gateway.js': 'src/gateway.ts' }
    const out = join(folder, 'out')
    await assert.rejects(buildAll({ root, out, entries }), /src\/gateway\.ts not found/)
    assert.deepEqual(readdirSync(folder), ['a'])
    assert.deepEqual(await buildAll({ root, out, entries, partial: true }), ['src/gateway.ts'])
    assert.deepEqual(
      readdirSync(out).filter(name => !name.startsWith('tool-')),
      ['runtime', 'tool.js'],
    )
  })
})
