import { type HttpRequest, type HttpResponse, toJsonResponse } from '../../core/http/http.ts'
import { isMembers, type JsonMembers } from '../../tensor/index.ts'
import type { Catalog, VersionState, VersionStatus } from '../catalog/catalog.ts'
import { Refusal } from '../errors.ts'
import { parseBody } from '../front/body.ts'
import type { Service } from '../model.ts'
import { toUnknownModel } from './find.ts'
import type { V2Path } from './path.ts'

const STATES = {
  START: 'LOADING',
  LOADING: 'LOADING',
  AVAILABLE: 'READY',
  UNLOADING: 'UNLOADING',
  END: 'UNAVAILABLE',
} as const satisfies Record<VersionState, string>

/** Lists models and how far their versions are (Triton, extension_model_repository.md, "Index"). @throws BAD_REQUEST */
export function toIndexResponse(catalog: Catalog, request: HttpRequest): HttpResponse {
  const wantsReady = parseOptionalBody(request).get('ready') ?? false
  if (typeof wantsReady !== 'boolean') throw new Refusal('BAD_REQUEST', "Unable to parse 'ready': expected a boolean")
  return toJsonResponse(200, listRows(catalog, wantsReady))
}

/** A version of a model in the index. */
export interface IndexRow {
  readonly name: string
  readonly version?: string
  readonly state: (typeof STATES)[VersionState]
  readonly reason: string
}

/** The index of all models, or of what is ready. */
export function listRows(catalog: Catalog, wantsReady: boolean): readonly IndexRow[] {
  const rows = catalog.names.flatMap(name => toRows(name, catalog.versions(name)))
  return rows.filter(({ state }) => !wantsReady || state === 'READY')
}

/** A model that has no versions is unloaded. */
function toRows(name: string, versions: readonly VersionStatus[]): readonly IndexRow[] {
  if (versions.length === 0) return [{ name, state: STATES.END, reason: 'unloaded' }]
  return versions.map(({ version, state, error }) => {
    const reason = error?.message ?? (state === 'END' ? 'unloaded' : '')
    return { name, version: String(version), state: STATES[state], reason }
  })
}

/** Loads or unloads a model, and answers when that is done, as KServe's servers do. @throws what `controlModel` does */
export async function toControlResponse(
  service: Service,
  { call, modelName }: Extract<V2Path, { call: Control }>,
  request: HttpRequest,
): Promise<HttpResponse> {
  const body = parseOptionalBody(request)
  const parameters = body.has('parameters') ? body.get('parameters') : new Map()
  if (!isMembers(parameters)) throw new Refusal('BAD_REQUEST', "Unable to parse 'parameters': expected an object")
  await controlModel(service, call, modelName, [...parameters.keys()])
  return toJsonResponse(200, { name: modelName, [call]: true })
}

/** What can be done with a model. */
export type Control = 'load' | 'unload'

/** Loads or unloads a model, to the end. @throws FORBIDDEN, NOT_FOUND, BAD_REQUEST, LOAD_FAILED */
export async function controlModel(
  { catalog, allowsModelControl }: Service,
  call: Control,
  modelName: string,
  parameters: readonly string[],
): Promise<void> {
  if (!allowsModelControl) {
    throw new Refusal('FORBIDDEN', `Cannot ${call} a model: start the server with --allow-model-control to let clients`)
  }
  // What a model is made of comes from disk alone; nothing depends on a model.
  const name = parameters.find(key => call === 'load' || key !== 'unload_dependents')
  if (name !== undefined) throw new Refusal('BAD_REQUEST', `Cannot ${call} with the parameter "${name}"`)
  if (!catalog.names.includes(modelName)) throw toUnknownModel({ modelName, version: undefined })
  await catalog[call](modelName)
}

function parseOptionalBody(request: HttpRequest): JsonMembers {
  return request.body.byteLength === 0 ? new Map() : parseBody(request)
}
