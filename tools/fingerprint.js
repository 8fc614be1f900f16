// What was made of which inputs, by their contents. Plain JavaScript that Node 20 runs.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** The packages of the lock file: their inputs, and the file that holds the fingerprint of those they were made of. */
export const packages = {
  inputs: ['package.json', 'package-lock.json', 'tools/node/package.json'],
  stamp: join(root, 'node_modules', '.regatta-installed'),
}
/** The bundles, likewise. */
export const bundles = {
  inputs: ['package-lock.json', 'src', 'bin', 'tools/build.ts'],
  stamp: join(root, 'dist', '.regatta-built'),
}

/** Whether something was made of the inputs as they are now. */
export function isCurrent({ inputs, stamp }) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint(inputs)
}

/** A digest of the names and contents of files and folders of the repository, its tests left out. */
export function fingerprint(inputs) {
  const hash = createHash('sha256')
  for (const input of inputs.flatMap(listFiles))
    hash
      .update(input)
      .update('\0')
      .update(readFileSync(join(root, input)))
      .update('\0')
  return hash.digest('hex')
}

function listFiles(path) {
  const full = join(root, path)
  if (!existsSync(full)) return []
  if (!statSync(full).isDirectory()) return [path]
  return readdirSync(full)
    .sort()
    .flatMap(name => listFiles(join(path, name)))
    .filter(name => !name.endsWith('.test.ts'))
}
