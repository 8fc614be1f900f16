import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { it } from 'node:test'
import { generateMessages, runBuf } from './proto.ts'

const committed = resolve(import.meta.dirname, '..', 'src', 'tensor', 'generated')

/** Every file below a folder, by its path there. */
function readTree(folder: string): ReadonlyMap<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  const files = paths.filter(path => statSync(join(folder, path)).isFile())
  return new Map(files.map(path => [path, readFileSync(join(folder, path), 'utf8')]))
}

// Its program comes as a package for some platforms only.
const lacksBuf = await runBuf('--version').then(
  () => false,
  () => 'no Buf for this platform',
)

it('src/tensor/generated/ is what `npm run proto` writes', { skip: lacksBuf }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'regatta-proto-'))
  try {
    await generateMessages(folder)
    const written = readTree(join(folder, 'generated'))
    assert.ok(written.has('tensorflow/serving/predict_pb.js'))
    assert.deepEqual([...written], [...readTree(committed)])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
