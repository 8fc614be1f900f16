import { type Project, readProject, type StatePaths, toStatePaths } from '../config/index.ts'
import { type ImageLayout, openLayout, openReach, type Reach, type RegistryOptions } from '../oci/index.ts'
import type { Call } from './verb.ts'

/** The project that a verb works on. */
export interface Workplace {
  readonly project: Project
  readonly paths: StatePaths
  readonly layout: ImageLayout
}

/** Reads regatta.yaml of the working folder and opens its image layout. */
export async function openWorkplace(call: Call): Promise<Workplace> {
  const project = await readProject(call.cwd, call.env)
  const paths = toStatePaths(project.folder)
  return { project, paths, layout: await openLayout(paths.layout) }
}

/** How a verb talks to registries: what they warn of goes to stderr. */
export function toRegistryOptions({ clock, env, err }: Call, insecure: boolean): RegistryOptions {
  return { env, clock, insecure, onWarning: text => err(`warning: ${text}\n`) }
}

/** Connections to registries for all that a verb has to do there. Disposal closes them. */
export function openConnections(call: Call, insecure: boolean): Reach {
  return openReach(toRegistryOptions(call, insecure))
}
