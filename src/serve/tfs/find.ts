import type { Catalog, VersionStatus, WantedVersion } from '../catalog/catalog.ts'
import { Refusal } from '../errors.ts'

/** The versions that a request for the status of a model means: get_model_status_impl.cc, which leaves a label alone. @throws NOT_FOUND */
export function findStatuses(catalog: Catalog, { name, version }: WantedVersion): readonly VersionStatus[] {
  const statuses = catalog.versions(name)
  if (statuses.length === 0) throw new Refusal('NOT_FOUND', `Could not find any versions of model ${name}`)
  const wanted = statuses.filter(status => version === undefined || status.version === version)
  if (wanted.length === 0) throw new Refusal('NOT_FOUND', `Could not find version ${version} of model ${name}`)
  return wanted
}
