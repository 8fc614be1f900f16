import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModelServer } from '../../config/index.ts'
import type { Digest } from '../../core/brands.ts'
import { RegattaError, toSystemCode } from '../../core/errors.ts'
import { ProtobufError } from '../../core/protobuf.ts'
import { type ModelSignature, type RunRecord, readOnnxSignature, type StoredRun } from '../../train/index.ts'
import {
  listFiles,
  type MeasuredFile,
  type Measuring,
  measureFile,
  requireNoSecret,
  toLayerFile,
} from '../layer/files.node.ts'
import type { LayerFile, LayerPlan } from '../layer/layer.ts'
import type { LoopWork } from './loops.node.ts'
import type { LoopReport } from './loops.ts'
import { readOnnxOutline, readOperators } from './onnx-outline.node.ts'
import { TRITON_CONFIG } from './triton.ts'

/** Where a model comes from: a run, or a folder that was made elsewhere. */
export type ModelSource =
  | { readonly kind: 'run'; readonly run: StoredRun }
  | { readonly kind: 'folder'; readonly folder: string }

/** A model that can be packed. */
export interface Model {
  /** Paths relative to the model's folder. */
  readonly files: ReadonlyMap<string, MeasuredFile>
  readonly format: 'onnx' | 'saved-model' | 'other'
  /** Null for what is not ONNX. */
  readonly signature: ModelSignature | null
  /** The run's record; null for a folder. */
  readonly run: { readonly digest: Digest; readonly record: RunRecord } | null
  /** What was found of its loops; null where none was looked for, or found. */
  readonly loops: LoopReport | null
}

const ONNX = 'model.onnx'
const SAVED_MODEL = 'saved_model.pb'
const MAX_MODEL_FILES = 10_000
/** The most that one protobuf message may hold. Source: protobuf.dev/programming-guides/proto-limits. */
const MAX_MODEL_BYTES = 2 * 1024 ** 3 - 1
/** A model of this size is read whole: what is wrong with it can be said best then. */
const SMALL_MODEL_BYTES = 16 * 1024 * 1024
/** Files of this size get a layer of their own, so that only what changed moves to a registry. */
const OWN_LAYER_BYTES = 64 * 1024 * 1024

/** The file that makes a folder a model, of which each server takes one. */
const WANTED = {
  onnx: [ONNX],
  'tensorflow-serving': [SAVED_MODEL],
  triton: [ONNX, SAVED_MODEL],
  custom: [],
} as const satisfies Record<ModelServer, readonly string[]>

/**
 * Looks at all files of a model, and into the model itself where it is ONNX.
 * @throws PACK_NO_MODEL, PACK_MODEL, RUN_CHANGED, ONNX_FORMAT, FILE_KIND, FILE_COUNT, FILE_SECRET
 */
export async function readModel(source: ModelSource, server: ModelServer, measuring: Measuring): Promise<Model> {
  const folder = source.kind === 'run' ? source.run.outputFolder : source.folder
  const wanted: readonly string[] = WANTED[server]
  const files =
    source.kind === 'run' ? await measureRun(source.run, measuring) : await measureFolder(folder, wanted, measuring)
  requireWanted(folder, wanted, [...files.keys()])
  const model = server === 'onnx' || server === 'triton' ? files.get(ONNX) : undefined
  const nested = [...files.keys()].find(path => /(^|\/)\d+\/model\.onnx$/.test(path))
  if (model !== undefined && nested !== undefined) throw twoModels(folder, nested)
  return {
    files,
    format: model !== undefined ? 'onnx' : wanted.includes(SAVED_MODEL) ? 'saved-model' : 'other',
    signature: model === undefined ? null : await readSignature(model),
    run: source.kind === 'run' ? { digest: source.run.digest, record: source.run.record } : null,
    loops: null,
  }
}

/** The model with ONNX's own operators in the place of its loops, where they are equal. @throws as `replaceLoops` */
export async function withoutLoops(model: Model, work: LoopWork): Promise<Model> {
  const found = model.format === 'onnx' ? model.files.get(ONNX) : undefined
  if (found === undefined || !(await hasLoops(found))) return model
  // Loaded late: few models have loops.
  const { replaceLoops } = await import('./loops.node.ts')
  const { file, report } = await replaceLoops(found, work)
  return { ...model, files: new Map([...model.files, [ONNX, file]]), loops: report }
}

/** A model that cannot be read has none. */
async function hasLoops({ source }: MeasuredFile): Promise<boolean> {
  try {
    return (await readOperators(source)).has('Loop')
  } catch (error) {
    if (error instanceof ProtobufError || toSystemCode(error) === 'ONNX_FORMAT') return false
    throw error
  }
}

/** Where a model goes, and how its layers are wrapped. */
export interface ModelPlace {
  readonly server: ModelServer
  /** Folder in the image that holds VERSION/; absolute. */
  readonly modelPath: string
  readonly version: number
  readonly wrap: 'stored' | 'none'
}

/** The layers of a model: large files one each, the others together, all below `modelPath`/VERSION. */
export function planModelLayers(model: Model, place: ModelPlace, signal: AbortSignal): readonly LayerPlan[] {
  const folder = place.modelPath.slice(1)
  const entries = [...model.files]
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([path, file]) => toLayerFile(`${folder}/${toPlace(path, model, place)}`, file, 0o644, signal))
  const large = entries.filter(({ sizeBytes }) => sizeBytes >= OWN_LAYER_BYTES)
  const small = entries.filter(({ sizeBytes }) => sizeBytes < OWN_LAYER_BYTES)
  const layer = (entries: readonly LayerFile[], why: string): LayerPlan => ({
    kind: 'model',
    wrap: place.wrap,
    entries,
    why,
  })
  return [
    ...large.map(entry => layer([entry], `${toName(entry)}, of 64 MiB or more: sent beside the other layers`)),
    ...(small.length > 0 ? [layer(small, toBundleText(small, large.length > 0))] : []),
  ]
}

function toBundleText(files: readonly LayerFile[], hasLarge: boolean): string {
  const [first] = files
  if (first !== undefined && files.length === 1) return `${toName(first)}, the model`
  return `the ${files.length} ${hasLarge ? 'smaller ' : ''}files of the model, together`
}

function toName({ path }: LayerFile): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** A file's place below the model's folder. Source for Triton: docs/user_guide/model_repository.md, "Model Files". */
function toPlace(path: string, { format }: Model, { server, version }: ModelPlace): string {
  if (server !== 'triton') return `${version}/${path}`
  if (path === TRITON_CONFIG) return path
  return format === 'saved-model' ? `${version}/model.savedmodel/${path}` : `${version}/${path}`
}

async function measureRun(run: StoredRun, measuring: Measuring): Promise<ReadonlyMap<string, MeasuredFile>> {
  const { id, output, reason, state } = run.record
  if (state !== 'done') {
    throw new RegattaError(
      'PACK_NO_MODEL',
      `Cannot pack run ${id}: it ${state}${reason === null ? '' : `, ${reason}`}`,
      {
        fix: 'Pack a run that is done: regatta runs lists them',
      },
    )
  }
  const files = new Map<string, MeasuredFile>()
  for (const { path, digest } of output) {
    const source = join(run.outputFolder, path)
    const file = await measureFile(source, measuring).catch(error => {
      throw toSystemCode(error) === 'FILE_READ' ? changed(run, source, 'it cannot be read', error) : error
    })
    await requireNoSecret(run.outputFolder, path)
    if (file.digest !== digest) throw changed(run, source, 'its content is another')
    files.set(path, file)
  }
  return files
}

async function measureFolder(
  folder: string,
  wanted: readonly string[],
  measuring: Measuring,
): Promise<ReadonlyMap<string, MeasuredFile>> {
  const paths = await listFiles(folder, { maxFiles: MAX_MODEL_FILES }).catch(error => {
    const code = toSystemCode(error)
    throw code === 'ENOENT' || code === 'ENOTDIR' ? noModel(folder, wanted, undefined, error) : error
  })
  // Looked for before anything is read: a wrong folder may hold a great deal.
  requireWanted(folder, wanted, paths)
  const files = new Map<string, MeasuredFile>()
  for (const path of paths) files.set(path, await measureFile(join(folder, path), measuring))
  return files
}

function requireWanted(folder: string, wanted: readonly string[], paths: readonly string[]): void {
  const isThere = wanted.length === 0 ? paths.length > 0 : wanted.some(name => paths.includes(name))
  if (!isThere) throw noModel(folder, wanted, paths)
}

async function readSignature({ source, sizeBytes }: MeasuredFile): Promise<ModelSignature> {
  if (sizeBytes > MAX_MODEL_BYTES) {
    throw new RegattaError(
      'ONNX_FORMAT',
      `Cannot read model: expected at most ${MAX_MODEL_BYTES} bytes, found ${sizeBytes}`,
      {
        where: source,
        fix: 'Export the model with its weights in files of their own (external data)',
      },
    )
  }
  try {
    return readOnnxSignature(sizeBytes <= SMALL_MODEL_BYTES ? await readFile(source) : await readOnnxOutline(source))
  } catch (error) {
    if (!(error instanceof RegattaError)) throw error
    throw new RegattaError(error.code, error.message, {
      where: source,
      ...(error.fix !== undefined && { fix: error.fix }),
      cause: error,
    })
  }
}

function noModel(
  folder: string,
  wanted: readonly string[],
  found: readonly string[] | undefined,
  cause?: unknown,
): RegattaError {
  const name = wanted.join(' or ') || 'a file'
  const version = found?.find(path =>
    wanted.some(name => /^\d+$/.test(path.slice(0, -name.length - 1)) && path.endsWith(`/${name}`)),
  )
  const shown =
    found === undefined ? 'no such folder' : found.length === 0 ? 'an empty folder' : found.slice(0, 5).join(', ')
  return new RegattaError('PACK_NO_MODEL', `Cannot pack "${folder}": expected ${name} in it, found ${shown}`, {
    fix:
      version === undefined
        ? `Name the folder that holds the model${wanted.length === 0 ? '' : ` as ${name}`}`
        : `Name the folder of one version: ${join(folder, version.slice(0, version.indexOf('/')))}`,
    cause,
  })
}

function twoModels(folder: string, nested: string): RegattaError {
  return new RegattaError(
    'PACK_MODEL',
    `Cannot pack "${folder}": it holds "${nested}" beside ${ONNX}, and an image has one model`,
    {
      fix: `Move "${nested}" out of the folder`,
    },
  )
}

function changed({ record }: StoredRun, source: string, how: string, cause?: unknown): RegattaError {
  return new RegattaError('RUN_CHANGED', `Cannot pack run ${record.id}: "${source}" is not what the run left, ${how}`, {
    fix: 'Train again, or pack the folder as it is with regatta pack --model',
    cause,
  })
}
