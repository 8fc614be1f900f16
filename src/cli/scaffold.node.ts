import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { toDiskError } from '../core/disk.ts'
import { toSystemCode, UsageError } from '../core/errors.ts'
import type { Call } from './verb.ts'

/** What of the example is the project's: its state and its own tests are not. */
const LEFT_OUT =
  /(^|\/)(\.gitignore|\.regatta|\.venv|__pycache__|model|testing)(\/|$)|\.test\.ts$|^check-pair\.ts$|^README\.md$/

/** Copies the example into a folder. Returns the files written, relative to it. @throws INIT_EXISTS before writing anything, DISK_FULL */
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
  try {
    for (const file of files) {
      await mkdir(dirname(join(target, file)), { recursive: true })
      await copyFile(join(template, file), join(target, file))
    }
  } catch (error) {
    // Half a project would stand in the way of the next try.
    for (const file of files) await rm(join(target, file), { force: true })
    throw toDiskError(error, target)
  }
  // npm leaves this file out of packages, so it is not part of the example.
  await writeFile(join(target, '.gitignore'), GITIGNORE, { flag: 'wx' }).catch(ignoreExisting)
  return files
}

const GITIGNORE = '.regatta/\nmodel/\n__pycache__/\n'

/** A project in a repository keeps its own. */
function ignoreExisting(error: unknown): void {
  if (toSystemCode(error) !== 'EEXIST') throw error
}

async function listFiles(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => relative(root, join(entry.parentPath, entry.name)))
    .filter(path => !LEFT_OUT.test(path))
    .sort()
}
