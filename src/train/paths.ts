import { join } from 'node:path'

/** Where one run's files lie, all absolute. */
export interface RunPaths {
  readonly folder: string
  /** The model's files; the command gets it as REGATTA_OUTPUT. */
  readonly output: string
  /** What the command wrote to stdout and stderr. */
  readonly log: string
  /** What is known of a run that has no record yet; gone once it has one. */
  readonly start: string
  /** Held by the process that supervises the command. */
  readonly lock: string
  /** A folder with nothing but `node`, for the command's PATH; gone when it ended. */
  readonly bin: string
}

/** The folder that holds a folder for each run of a project. */
export const toRunsFolder = (projectFolder: string): string => join(projectFolder, '.regatta', 'runs')

/** The paths of the run with this id. */
export function toRunPaths(projectFolder: string, id: string): RunPaths {
  const folder = join(toRunsFolder(projectFolder), id)
  return {
    folder,
    output: join(folder, 'output'),
    log: join(folder, 'log.txt'),
    start: join(folder, 'start.json'),
    lock: join(folder, 'lock'),
    bin: join(folder, 'bin'),
  }
}

/** A run's whole id: 32 hex digits. */
export const RUN_ID = /^[0-9a-f]{32}$/
