/** Prints the ten longest source files: a place to look before a larger commit, not a gate. */
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const files = globSync(['src/**/*.ts', 'bin/*.ts', 'tools/*.ts', 'examples/**/*.ts'], {
  cwd: root,
  exclude: ['src/*/generated/**'],
})
const lines = files.map(path => [readFileSync(join(root, path), 'utf8').split('\n').length - 1, path] as const)
for (const [count, path] of lines.sort(([a], [b]) => b - a).slice(0, 10))
  console.log(`${String(count).padStart(5)}  ${path}`)
