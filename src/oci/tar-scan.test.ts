import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { link, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { toDigest, toStreamDigest } from './digest.ts'
import { toTarFile, writeTar } from './tar.ts'
import { type ScannedEntry, scanTar } from './tar-scan.ts'

const LONG = `${'long/'.repeat(60)}name`

async function scan(
  chunks: AsyncIterable<Uint8Array>,
): Promise<Map<string, Omit<ScannedEntry, 'content'> & { digest: string }>> {
  const found = new Map<string, Omit<ScannedEntry, 'content'> & { digest: string }>()
  for await (const { content, ...entry } of scanTar(chunks)) {
    found.set(entry.path, { ...entry, digest: (await toStreamDigest(content)).digest })
  }
  return found
}

describe('scanTar()', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regatta-scan-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  /** What GNU tar makes of the folder. */
  function toArchive(...options: readonly string[]): AsyncIterable<Uint8Array> {
    return spawn('tar', ['--create', ...options, '--directory', folder, '.'], { stdio: ['ignore', 'pipe', 'inherit'] })
      .stdout
  }

  for (const format of ['gnu', 'pax', 'ustar'] as const) {
    it(`lists what GNU tar writes as ${format}`, async () => {
      const name = format === 'ustar' ? 'a/b' : LONG
      await mkdir(join(folder, name, '..'), { recursive: true })
      await writeFile(join(folder, name), 'content')
      await link(join(folder, name), join(folder, 'z-hard'))
      await symlink('/etc/passwd', join(folder, 'soft'))
      const found = await scan(toArchive(`--format=${format}`, '--sort=name'))
      const file = found.get(name)
      assert.deepEqual([file?.kind, file?.sizeBytes, file?.isSparse], ['file', 7, false])
      assert.equal(file?.digest, toDigest(new TextEncoder().encode('content')))
      assert.equal(found.get('soft')?.kind, 'other')
      assert.equal(found.get('z-hard')?.kind, 'other')
      assert.equal(found.get(name.split('/')[0] ?? '')?.kind, 'folder')
    })
  }

  for (const format of ['gnu', 'pax'] as const) {
    it(`tells a file with holes in ${format}`, async () => {
      await writeFile(join(folder, 'holes'), 'x')
      await truncate(join(folder, 'holes'), 1024 * 1024)
      const found = await scan(toArchive(`--format=${format}`, '--sparse', '--sparse-version=0.1'))
      assert.deepEqual([...found.values()].filter(({ isSparse }) => isSparse).length, 1)
    })
  }

  it('lists what writeTar() writes, whatever is read of it', async () => {
    const entries = [toTarFile('a', new Uint8Array(1000)), toTarFile('b/c', Uint8Array.of(1))]
    const paths: string[] = []
    for await (const { kind, path } of scanTar(writeTar(entries))) paths.push(`${kind} ${path}`)
    assert.deepEqual(paths, ['file a', 'folder b', 'file b/c'])
  })

  it('refuses what is no archive, and one that ends early', async () => {
    const parts = async function* (bytes: Uint8Array) {
      yield bytes
    }
    await assert.rejects(scan(parts(new Uint8Array(512).fill(7))), { code: 'TAR_FORMAT' })
    const chunks: Uint8Array[] = []
    for await (const chunk of writeTar([toTarFile('a', new Uint8Array(1000))])) chunks.push(chunk)
    await assert.rejects(scan(parts(Buffer.concat(chunks).subarray(0, 900))), { code: 'TAR_FORMAT' })
  })
})
