import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Measuring, measureFile, toLayerFile } from './files.node.ts'

const MiB = 1024 * 1024
const signal = new AbortController().signal
const KNOWN: Measuring['known'] = { find: () => undefined, remember: () => undefined, save: async () => undefined }

interface Place extends AsyncDisposable {
  readonly path: string
}

async function openPlace(sizeBytes: number): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'regatta-files-'))
  const path = join(folder, 'weights.bin')
  writeFileSync(path, Buffer.alloc(sizeBytes, 'a'))
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true })
    },
  }
}

/** Measures a file whose last change is so long ago that a later one shows. */
async function measureSettled(path: string): ReturnType<typeof measureFile> {
  for (;;) {
    const file = await measureFile(path, { known: KNOWN, signal })
    if (file.settled) return file
    await sleep(20)
  }
}

describe('measureFile()', () => {
  it('refuses a file that changes while it is measured', async () => {
    await using place = await openPlace(10)
    const known: Measuring['known'] = {
      ...KNOWN,
      find: path => {
        writeFileSync(path, 'longer than it was')
        return undefined
      },
    }
    await assert.rejects(measureFile(place.path, { known, signal }), { code: 'FILE_CHANGED', message: /weights\.bin/ })
  })
})

describe('toLayerFile()', () => {
  for (const when of ['before', 'while'] as const) {
    it(`refuses a file with other bytes of the same length, written ${when} it is read`, async () => {
      await using place = await openPlace(4 * MiB)
      const file = await measureSettled(place.path)
      const change = (): void => writeFileSync(place.path, Buffer.alloc(4 * MiB, 'b'), { flag: 'r+' })
      if (when === 'before') change()
      const read = async (): Promise<void> => {
        let parts = 0
        for await (const _ of toLayerFile('weights.bin', file, 0o644, signal).open()) {
          parts += 1
          if (when === 'while' && parts === 1) change()
        }
      }
      await assert.rejects(read(), { code: 'FILE_CHANGED', message: /weights\.bin/ })
    })
  }

  it('takes a file that only looks changed', async () => {
    await using place = await openPlace(2 * MiB)
    const file = await measureSettled(place.path)
    writeFileSync(place.path, Buffer.alloc(2 * MiB, 'a'), { flag: 'r+' })
    let bytes = 0
    for await (const part of toLayerFile('weights.bin', file, 0o644, signal).open()) bytes += part.byteLength
    assert.equal(bytes, 2 * MiB)
  })
})
