import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { toSystemCode, UsageError } from '../core/errors.ts'
import { PROJECT_FILE, toConfigError } from './problem.ts'
import type { Project } from './project.ts'
import { type ProjectSource, recallProject, rememberProject } from './remembered.node.ts'
import type { Environment } from './variables.ts'

/**
 * This program, by its content: bundles have a digest of what is in them in their names. Sources change under the same
 * name.
 */
const PROGRAM = /-[\w-]{8}\.js$/.test(import.meta.filename) ? import.meta.filename : undefined

/**
 * Reads the regatta.yaml of a folder; parent folders are not searched. What came of it is remembered by whatever it
 * depends on, `program` included; undefined: nothing is.
 * @throws PROJECT_MISSING, PROJECT_FILE, CONFIG (UsageErrors)
 */
export async function readProject(
  folder: string,
  env: Environment,
  program: string | undefined = PROGRAM,
): Promise<Project> {
  const absolute = resolve(folder)
  const source: ProjectSource = { text: await readProjectText(absolute), folder: absolute, env }
  const known = program === undefined ? undefined : await recallProject(program, source)
  if (known !== undefined) return known
  const { parseProject } = await import('./parse.ts')
  const project = parseProject(source.text, source)
  if (program !== undefined) await rememberProject(program, source, project)
  return project
}

/** The variables that set a key of regatta.yaml, for a process elsewhere that reads the same file. */
export async function pickVariables(env: Environment): Promise<Readonly<Record<string, string>>> {
  const environment = await import('./environment.ts')
  return environment.pickVariables(env)
}

/** Reads the text of a folder's regatta.yaml. @throws PROJECT_MISSING, PROJECT_FILE, CONFIG (UsageErrors) */
export async function readProjectText(folder: string): Promise<string> {
  return await readText(join(folder, PROJECT_FILE))
}

/**
 * Reads a regatta.yaml of any name; its project is the folder that it lies in.
 * @throws PROJECT_MISSING, PROJECT_FILE, CONFIG (UsageErrors)
 */
export async function readProjectFile(path: string, env: Environment): Promise<Project> {
  const absolute = resolve(path)
  const { parseProject } = await import('./parse.ts')
  return parseProject(await readText(absolute), { folder: dirname(absolute), env })
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
