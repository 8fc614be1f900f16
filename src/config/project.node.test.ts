import assert from 'node:assert/strict'
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { readProject } from './project.node.ts'
import type { Environment } from './variables.ts'

describe('readProject()', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regatta-config-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('reads the file of the folder', async () => {
    await writeFile(join(folder, 'regatta.yaml'), '\ufeffname: forecast\n')
    const project = await readProject(folder, { REGATTA_SERVE_REPLICAS: '2' })
    assert.deepEqual([project.folder, project.name, project.serve.replicas], [folder, 'forecast', 2])
  })

  it('does not search the folders above', async () => {
    await writeFile(join(folder, 'regatta.yaml'), 'name: forecast\n')
    await mkdir(join(folder, 'data'))
    await assert.rejects(readProject(join(folder, 'data'), {}), {
      name: 'UsageError',
      code: 'PROJECT_MISSING',
      fix: /regatta init/,
    })
  })

  it('names a file that it cannot read', async () => {
    await mkdir(join(folder, 'regatta.yaml'))
    await assert.rejects(readProject(folder, {}), { name: 'UsageError', code: 'PROJECT_FILE', message: /EISDIR/ })
  })

  it('remembers what a program made of the file and the variables, and of nothing else', async () => {
    const program = join(folder, 'one.js')
    const write = (text: string): Promise<void> => writeFile(join(folder, 'regatta.yaml'), text)
    await write('name: forecast\n')
    await readProject(folder, {}, program)
    await assert.rejects(access(join(folder, '.regatta')), { code: 'ENOENT' })
    await mkdir(join(folder, '.regatta'))
    const env = { REGATTA_SERVE_REPLICAS: '2', REGATTA_TOKEN: 'secret' }
    const first = await readProject(folder, env, program)
    const kept = join(folder, '.regatta', 'cache', 'project.json')
    assert.doesNotMatch(await readFile(kept, 'utf8'), /secret/)
    // So that it shows where the name comes from.
    await writeFile(kept, (await readFile(kept, 'utf8')).replace('"forecast"', '"remembered"'))
    const read = async (variables: Environment, by = program): Promise<string> =>
      (await readProject(folder, variables, by)).name
    const again = await readProject(folder, { ...env, HOME: '/' }, program)
    assert.deepEqual(again, JSON.parse(JSON.stringify({ ...first, name: 'remembered' })))
    for (const name of [await read({}), await read(env, `${program}2`)]) assert.equal(name, 'forecast')
    await readProject(folder, env, program)
    await write('name: other\n')
    assert.equal(await read(env), 'other')
    await writeFile(kept, '{"key":')
    assert.equal(await read(env), 'other')
    await write('nme: other\n')
    for (let time = 0; time < 2; time++) await assert.rejects(read(env), { code: 'CONFIG' })
  })

  it('refuses bytes that are not UTF-8', async () => {
    await writeFile(join(folder, 'regatta.yaml'), Uint8Array.of(0x6e, 0xff, 0xfe))
    await assert.rejects(readProject(folder, {}), { name: 'UsageError', code: 'CONFIG', message: /UTF-8/ })
  })
})
