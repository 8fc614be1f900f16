import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { readProject } from '../config/index.ts'
import { toInstallation } from './installation.ts'
import { scaffold } from './scaffold.node.ts'
import type { Call } from './verb.ts'

const call: Call = {
  out: () => {},
  err: () => {},
  terminal: undefined,
  colours: false,
  env: {},
  cwd: tmpdir(),
  signal: new AbortController().signal,
  clock: () => 0,
  installation: toInstallation(resolve(import.meta.dirname, '..', '..'), true, process.execPath),
  json: false,
  target: 'local',
}

describe('scaffold()', () => {
  it('makes a project of the example without its tests and state, and never over files that are there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'regatta-init-'))
    try {
      const files = await scaffold(call, folder)
      assert.ok(files.includes('train.ts') && files.includes('data/series.csv'))
      assert.deepEqual(
        files.filter(file => /test|\.regatta|check-pair/.test(file)),
        [],
      )
      assert.deepEqual(
        readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile()).length,
        files.length + 1,
      )
      assert.match(readFileSync(join(folder, '.gitignore'), 'utf8'), /^\.regatta\/$/m)
      assert.equal((await readProject(folder, {})).name, 'forecast')
      await assert.rejects(scaffold(call, folder), { code: 'INIT_EXISTS' })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('leaves nothing on a disk that is full', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'regatta-init-'))
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder])
    if (status !== 0) return t.skip(`cannot mount a small tmpfs: ${String(stderr)}`)
    try {
      await assert.rejects(scaffold(call, folder), { code: 'DISK_FULL' })
      const left = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
      assert.deepEqual(left, [])
    } finally {
      spawnSync('umount', [folder])
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
