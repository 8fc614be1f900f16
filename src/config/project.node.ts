import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { toSystemCode, UsageError } from '../core/errors.ts'
import type { Environment } from './environment.ts'
import { parseProject } from './parse.ts'
import { PROJECT_FILE, toConfigError } from './problem.ts'
import type { Project } from './project.ts'

/**
 * Reads the regatta.yaml of a folder; parent folders are not searched.
 * @throws PROJECT_MISSING, PROJECT_FILE, CONFIG (UsageErrors)
 */
export async function readProject(folder: string, env: Environment): Promise<Project> {
  const absolute = resolve(folder)
  return parseProject(await readText(join(absolute, PROJECT_FILE)), { folder: absolute, env })
}

async function readText(path: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path))
  } catch (error) {
    if (error instanceof TypeError) {
      throw toConfigError([
        { place: { line: 1, column: 1 }, key: '', text: 'expected text in UTF-8, found other bytes' },
      ])
    }
    const code = toSystemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new UsageError('PROJECT_MISSING', `Cannot find ${PROJECT_FILE}`, {
        where: path,
        fix: 'Run `regatta init` to write one, or name the folder of a project',
        cause: error,
      })
    }
    throw new UsageError('PROJECT_FILE', `Cannot read ${PROJECT_FILE}: ${code ?? 'unknown error'}`, {
      where: path,
      fix: 'Make it a file that you may read',
      cause: error,
    })
  }
}
