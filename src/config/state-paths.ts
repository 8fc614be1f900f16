import { join } from 'node:path'

/** Where a project keeps its state; all below `.regatta`, which belongs in .gitignore. */
export interface StatePaths {
  readonly root: string
  readonly layout: string
  readonly database: string
  readonly token: string
  readonly runs: string
  readonly cache: string
  readonly local: string
  /** Held by the running `up`. */
  readonly upLock: string
  /** How to reach the running `up`. */
  readonly upRecord: string
  readonly upLog: string
}

/** The paths of the project in `folder`. */
export function toStatePaths(folder: string): StatePaths {
  const root = join(folder, '.regatta')
  const local = join(root, 'local')
  return {
    root,
    layout: join(root, 'oci'),
    database: join(root, 'regatta.db'),
    token: join(root, 'token'),
    runs: join(root, 'runs'),
    cache: join(root, 'cache'),
    local,
    upLock: join(local, 'up.lock'),
    upRecord: join(local, 'up.json'),
    upLog: join(local, 'logs', 'up.log'),
  }
}
