import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { planTar, type TarEntry, toTarBytes, toTarFile, writeTar } from './tar.ts'
import { readTar } from './tar-read.ts'

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

/** The bytes in pieces of one length, so that no reader can rely on where chunks end. */
async function* cut(bytes: Uint8Array, length: number): AsyncIterable<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += length) yield bytes.subarray(start, start + length)
}

async function readAll(chunks: AsyncIterable<Uint8Array>) {
  const entries: { path: string; kind: string; mode: number; content: string }[] = []
  for await (const { path, kind, mode, content } of readTar(chunks)) {
    entries.push({ path, kind, mode, content: (await collect(content)).toString('base64') })
  }
  return entries
}

const part = fc
  .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
  .filter(text => !/[/\0]/.test(text) && text !== '.' && text !== '..' && text.isWellFormed())
const path = fc.array(part, { minLength: 1, maxLength: 6 }).map(parts => parts.join('/'))
const file = fc.record({
  path,
  content: fc.uint8Array({ maxLength: 1500 }),
  mode: fc.constantFrom(0o644, 0o755, 0o600),
})

/** Sets of files of which none is another's folder. */
const files = fc
  .uniqueArray(file, { selector: each => each.path, maxLength: 6 })
  .filter(all => !all.some(a => all.some(b => b.path.startsWith(`${a.path}/`))))

describe('writeTar()', () => {
  it('writes what readTar() reads, wherever the chunks end', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.integer({ min: 1, max: 2000 }), async (all, length) => {
        const entries = all.map(each => toTarFile(each.path, each.content, each.mode))
        const archive = await collect(writeTar(entries))
        assert.equal(toTarBytes(entries), archive.byteLength)
        const found = await readAll(cut(archive, length))
        const wanted = planTar(entries).map(entry => {
          const content = entry.kind === 'file' ? all.find(each => each.path === entry.path)?.content : undefined
          const mode = entry.mode ?? 0o755
          return { path: entry.path, kind: entry.kind, mode, content: Buffer.from(content ?? []).toString('base64') }
        })
        assert.deepEqual(found, wanted)
      }),
      { numRuns: 100 },
    )
  })

  it('writes the same bytes for the same entries in any order', async () => {
    await fc.assert(
      fc.asyncProperty(
        files.chain(all => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        async ([all, shuffled]) => {
          const write = (each: typeof all) =>
            collect(writeTar(each.map(({ path, content }) => toTarFile(path, content))))
          assert.ok((await write(all)).equals(await write(shuffled)))
        },
      ),
      { numRuns: 30 },
    )
  })

  it('writes what GNU tar lists, long and UTF-8 names included', async () => {
    const long = `${'folder/'.repeat(20)}${'n'.repeat(90)}`
    const longer = `${'f'.repeat(120)}/${'g'.repeat(180)}`
    const entries: readonly TarEntry[] = [
      toTarFile('models/forecast/1/model.onnx', Buffer.alloc(1000)),
      toTarFile('models/Größe-模型.txt', Buffer.from('x')),
      toTarFile(long, Buffer.from('long')),
      toTarFile(longer, Buffer.from('longer')),
      toTarFile('bin/node', Buffer.from('#!'), 0o755),
      { kind: 'folder', path: 'tmp', mode: 0o1777 },
    ]
    const archive = await collect(writeTar(entries))
    assert.equal(archive.length % 512, 0)
    const listed = execFileSync('tar', ['--list', '--verbose', '--numeric-owner', '--utc', '--quoting-style=literal'], {
      input: archive,
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    })
    const modes = { 420: '-rw-r--r--', 493: '-rwxr-xr-x', 1023: 'drwxrwxrwt' } as const satisfies Record<number, string>
    const wanted = planTar(entries).map(entry => {
      if (entry.kind === 'folder') return [entry.mode === undefined ? 'drwxr-xr-x' : modes[1023], '0', `${entry.path}/`]
      return [entry.mode === 0o755 ? modes[493] : modes[420], String(entry.sizeBytes), entry.path]
    })
    const found = listed
      .trimEnd()
      .split('\n')
      .map(line => {
        const [mode, owner, size, day, time, ...name] = line.split(/ +/)
        assert.deepEqual([owner, day, time], ['0/0', '1970-01-01', '00:00'])
        return [mode, size, name.join(' ')]
      })
    assert.deepEqual(found, wanted)
  })

  it('records a size of 8 GiB and more in a pax header', async () => {
    const sizeBytes = 8 * 1024 ** 3
    const chunks = writeTar([{ kind: 'file', path: 'big', sizeBytes, open: () => [] }])[Symbol.asyncIterator]()
    const headers = Buffer.from((await chunks.next()).value)
    assert.match(headers.toString('latin1'), /19 size=8589934592\n/)
  })

  it('refuses a file that has another length than planned', async () => {
    const grown: TarEntry = { kind: 'file', path: 'a', sizeBytes: 2, open: () => [Buffer.from('abc')] }
    const shrunk: TarEntry = { kind: 'file', path: 'a', sizeBytes: 4, open: () => [Buffer.from('abc')] }
    await assert.rejects(collect(writeTar([grown])), { code: 'FILE_CHANGED' })
    await assert.rejects(collect(writeTar([shrunk])), { code: 'FILE_CHANGED' })
  })

  it('refuses a path that stands twice, and a file that is another entry’s folder', () => {
    const empty = new Uint8Array(0)
    assert.throws(() => planTar([toTarFile('a', empty), toTarFile('a', empty)]), { code: 'TAR_ENTRY' })
    assert.throws(() => planTar([toTarFile('a', empty), toTarFile('a/b', empty)]), { code: 'TAR_ENTRY' })
  })

  for (const wrong of ['/etc/passwd', '../up', 'a/../../up', 'a//b', './a', '', 'a/', 'nul\0']) {
    it(`refuses the path ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => planTar([toTarFile(wrong, new Uint8Array(0))]), { code: 'TAR_ENTRY' })
    })
  }
})

describe('readTar()', () => {
  /** An archive whose first header is altered and given a right checksum again. */
  async function alter(change: (header: Buffer) => void): Promise<Buffer> {
    const archive = await collect(writeTar([toTarFile('innocent', Buffer.from('x'))]))
    change(archive.subarray(0, 512))
    const sum = archive.subarray(0, 512).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
    archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    return archive
  }

  for (const type of ['1', '2', '3', '4', '6', 'L', 'S']) {
    it(`refuses an entry of type ${type}`, async () => {
      const archive = await alter(header => header.write(type, 156, 'latin1'))
      await assert.rejects(readAll(cut(archive, 512)), { code: 'TAR_ENTRY' })
    })
  }

  for (const path of ['/etc/passwd', '../up', 'a/../../up']) {
    it(`refuses the path ${path}`, async () => {
      const archive = await alter(header => header.write(`${path}\0`, 0, 'latin1'))
      await assert.rejects(readAll(cut(archive, 512)), { code: 'TAR_ENTRY' })
    })
  }

  it('refuses a wrong checksum, other bytes and an archive that ends early', async () => {
    const archive = await collect(writeTar([toTarFile('a', Buffer.alloc(600))]))
    const damaged = Buffer.from(archive)
    damaged.write('b', 0, 'latin1')
    await assert.rejects(readAll(cut(damaged, 512)), { code: 'TAR_FORMAT' })
    await assert.rejects(readAll(cut(Buffer.alloc(512, 'x'), 512)), { code: 'TAR_FORMAT' })
    await assert.rejects(readAll(cut(archive.subarray(0, 700), 512)), { code: 'TAR_FORMAT' })
    await assert.rejects(readAll(cut(archive.subarray(0, 1536), 512)), { code: 'TAR_FORMAT' })
  })

  it('reads the next entry where the content of one was left unread', async () => {
    const archive = await collect(writeTar([toTarFile('a', Buffer.alloc(5000)), toTarFile('b', Buffer.from('b'))]))
    const paths: string[] = []
    for await (const entry of readTar(cut(archive, 333))) paths.push(entry.path)
    assert.deepEqual(paths, ['a', 'b'])
  })

  it('reads what GNU tar writes in the pax format', async () => {
    const archive = execFileSync('tar', ['--create', '--format=pax', '--directory', import.meta.dirname, 'tar.ts'])
    const [entry] = await readAll(cut(archive, 1000))
    assert.equal(entry?.path, 'tar.ts')
    assert.match(Buffer.from(entry?.content ?? '', 'base64').toString(), /export async function\* writeTar/)
  })
})
