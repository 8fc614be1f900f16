import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { UsageError } from '../core/errors.ts'
import type { Call } from './verb.ts'

/** What of the example is the project's: its state and its own tests are not. */
const LEFT_OUT = /(^|\/)(\.regatta|\.venv|__pycache__|model|testing)(\/|$)|\.test\.ts$|^check-pair\.ts$|^README\.md$/

/** Copies the example into a folder. Returns the files written, relative to it. @throws INIT_EXISTS before writing anything */
export async function scaffold(call: Call, folder: string): Promise<readonly string[]> {
  const target = resolve(call.cwd, folder)
  const template = call.installation.templateFolder
  const files = await listFiles(template)
  const existing = files.filter(file => existsSync(join(target, file)))
  if (existing.length > 0) {
    throw new UsageError(
      'INIT_EXISTS',
      `Cannot make a project here: ${existing.join(', ')} ${existing.length === 1 ? 'exists' : 'exist'} already`,
      {
        where: target,
        fix: 'Choose an empty folder: regatta init FOLDER',
      },
    )
  }
  for (const file of files) {
    await mkdir(dirname(join(target, file)), { recursive: true })
    await copyFile(join(template, file), join(target, file))
  }
  return files
}

async function listFiles(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => relative(root, join(entry.parentPath, entry.name)))
    .filter(path => !LEFT_OUT.test(path))
    .sort()
}
