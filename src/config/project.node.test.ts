import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { readProject } from './project.node.ts'

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

  it('refuses bytes that are not UTF-8', async () => {
    await writeFile(join(folder, 'regatta.yaml'), Uint8Array.of(0x6e, 0xff, 0xfe))
    await assert.rejects(readProject(folder, {}), { name: 'UsageError', code: 'CONFIG', message: /UTF-8/ })
  })
})
