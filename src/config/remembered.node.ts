import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readFileIfAny, replaceFile } from '../core/files.node.ts'
import { isObject } from '../core/json.ts'
import type { Project } from './project.ts'
import { toStatePaths } from './state-paths.ts'
import { type Environment, PREFIX } from './variables.ts'

/*
 * The project that came of a regatta.yaml without mistakes: `.regatta/cache/project.json`. To load what reads
 * YAML and checks it takes longer than most commands need for all the rest.
 */

/** What a project is made of. */
export interface ProjectSource {
  /** Of regatta.yaml. */
  readonly text: string
  /** Absolute path of the folder that holds it. */
  readonly folder: string
  readonly env: Environment
}

/** The project that is remembered of exactly this source, as `program` read it. */
export async function recallProject(program: string, source: ProjectSource): Promise<Project | undefined> {
  const text = await readFileIfAny(toPath(source)).catch(() => undefined)
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    // Written below, and by nobody else: whoever may write there may write regatta.yaml too.
    return isObject(value) && value['key'] === toKey(program, source) ? (value['project'] as Project) : undefined
  } catch {
    return undefined
  }
}

/** Remembers a project where there is a place for that; elsewhere it is read anew the next time. */
export async function rememberProject(program: string, source: ProjectSource, project: Project): Promise<void> {
  if (!existsSync(toStatePaths(source.folder).root)) return
  const content = JSON.stringify({ key: toKey(program, source), project })
  await replaceFile(toPath(source), content, 0o600).catch(() => undefined)
}

function toPath({ folder }: ProjectSource): string {
  return join(toStatePaths(folder).cache, 'project.json')
}

/** A digest: variables may hold secrets. */
function toKey(program: string, { env, folder, text }: ProjectSource): string {
  const variables = Object.entries(env).filter(([name]) => name.startsWith(PREFIX))
  return createHash('sha256')
    .update(JSON.stringify([program, folder, text, variables.sort()]))
    .digest('hex')
}
