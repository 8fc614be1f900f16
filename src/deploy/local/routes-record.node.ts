import { join } from 'node:path'
import { RegattaError } from '../../core/errors.ts'
import { readFileIfAny, writeFileWhole } from '../../core/files.node.ts'
import { parseRoutes, type Routes } from '../../core/wire/routes.ts'

/** Where the routes of a local target are on record. */
export function toRoutesPath(folder: string): string {
  return join(folder, 'routes.json')
}

/** Reads the routes on record, or undefined where there are none. @throws ROUTES_RECORD */
export async function readRoutesRecord(folder: string): Promise<Routes | undefined> {
  const path = toRoutesPath(folder)
  const text = await readFileIfAny(path)
  if (text === undefined) return undefined
  try {
    return parseRoutes(JSON.parse(text))
  } catch (cause) {
    throw new RegattaError('ROUTES_RECORD', 'Cannot read the routes on record: expected a whole document of routes', {
      where: path,
      fix: 'Restore the file, or remove it and deploy again',
      cause,
    })
  }
}

/** Replaces the routes on record, whole. */
export async function writeRoutesRecord(folder: string, routes: Routes): Promise<void> {
  await writeFileWhole(toRoutesPath(folder), `${JSON.stringify(routes, null, 2)}\n`)
}
