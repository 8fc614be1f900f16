/**
 * Writes `docs/verbs/`: a page for each verb, from the same words that `--help` prints, and their index.
 * `--check` writes nothing and fails where a page is not current.
 */
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { toVerbPages } from '../src/cli/index.ts'

const folder = resolve(import.meta.dirname, '..', 'docs', 'verbs')
const stale: string[] = []
for (const { name, text } of toVerbPages()) {
  const path = join(folder, `${name}.md`)
  if (process.argv.includes('--check')) {
    if (readFileSync(path, 'utf8') !== text) stale.push(path)
    continue
  }
  await mkdir(folder, { recursive: true })
  await writeFile(path, text)
}
if (stale.length > 0) {
  console.error(`not current: ${stale.join(', ')}; run: npm run docs`)
  process.exitCode = 1
}
