import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Case, parseCase } from './case.ts'

const FOLDER = join(import.meta.dirname, 'corpus')

/** Requests that were answered wrongly once, by the names of their files. */
export function readCorpus(): readonly (readonly [name: string, example: Case])[] {
  return readdirSync(FOLDER)
    .filter(file => file.endsWith('.json'))
    .sort()
    .map(file => [file, parseCase(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')))] as const)
}
