import type { Catalog, ServedVersion } from '../catalog/catalog.ts'
import { Refusal } from '../errors.ts'
import type { V2ModelPath } from './path.ts'

/** The version to answer with. @throws NOT_FOUND in the words of Triton, NOT_READY */
export function findVersion(catalog: Catalog, { modelName, version }: V2ModelPath): ServedVersion {
  try {
    return catalog.find({ name: modelName, version: version === undefined ? undefined : toNumber(version) })
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'NOT_FOUND') throw error
    throw toUnknownModel({ modelName, version })
  }
}

/** Whether a model that is known can be inferred with. @throws NOT_FOUND */
export function isLoaded(catalog: Catalog, path: V2ModelPath): boolean {
  const statuses = catalog.versions(path.modelName)
  const wanted = statuses.filter(({ version }) => path.version === undefined || version === toNumber(path.version))
  if (wanted.length === 0 && (path.version !== undefined || !catalog.names.includes(path.modelName)))
    throw toUnknownModel(path)
  return wanted.some(({ state }) => state === 'AVAILABLE')
}

/** The versions of a model that can be inferred with, lowest first. */
export function listAvailable(catalog: Catalog, modelName: string): readonly ServedVersion[] {
  return catalog
    .versions(modelName)
    .filter(({ state }) => state === 'AVAILABLE')
    .map(({ version }) => catalog.find({ name: modelName, version }))
}

/** The refusal of a model that is not there. */
export function toUnknownModel({ modelName, version }: V2ModelPath): Refusal {
  const which = version === undefined ? '' : ` version ${version}`
  return new Refusal('NOT_FOUND', `Request for unknown model: "${modelName}"${which} is not found`)
}

/** Versions are texts in this protocol and numbers here: any other is found nowhere. */
function toNumber(version: string): number {
  return /^(0|[1-9]\d{0,14})$/.test(version) ? Number(version) : Number.NaN
}
