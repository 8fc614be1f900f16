// Writes the pages of `docs/` that are made from the code.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { toPages } from './pages.ts'

const folder = resolve(import.meta.dirname, '..', 'docs')
await rm(join(folder, 'verbs'), { recursive: true, force: true })
for (const { path, text } of toPages()) {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), text)
}
