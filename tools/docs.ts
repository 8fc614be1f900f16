// Writes `docs/verbs/`: a page for each verb, from the same words that `--help` prints.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { toVerbPages } from '../src/cli/index.ts'

const folder = resolve(import.meta.dirname, '..', 'docs', 'verbs')
await rm(folder, { recursive: true, force: true })
await mkdir(folder, { recursive: true })
for (const { name, text } of toVerbPages()) await writeFile(join(folder, `${name}.md`), text)
