import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../core/brands.ts'
import { RegattaError, toSystemCode } from '../core/errors.ts'
import { type ModelSignature, type RunRecord, readOnnxSignature, type StoredRun } from '../train/index.ts'
import { listFiles, type MeasuredFile, measureFile, toLayerFile } from './files.node.ts'
import type { LayerPlan } from './layer.ts'

/** Where a model comes from: a run, or a folder that was made elsewhere. */
export type ModelSource =
  | { readonly kind: 'run'; readonly run: StoredRun }
  | { readonly kind: 'folder'; readonly folder: string }

/** A model that can be packed. */
export interface Model {
  /** Paths relative to the model's folder. */
  readonly files: ReadonlyMap<string, MeasuredFile>
  readonly signature: ModelSignature
  /** The run's record; null for a folder. */
  readonly run: { readonly digest: Digest; readonly record: RunRecord } | null
}

const MODEL_FILE = 'model.onnx'
const MAX_MODEL_FILES = 10_000
/** The most that one protobuf message may hold. Source: protobuf.dev/programming-guides/proto-limits. */
const MAX_MODEL_BYTES = 2 * 1024 ** 3 - 1
/** Files of this size get a layer of their own, so that only what changed moves to a registry. */
const OWN_LAYER_BYTES = 64 * 1024 * 1024

/**
 * Looks at all files of a model, and into the model itself.
 * @throws PACK_NO_MODEL, PACK_MODEL, RUN_CHANGED, ONNX_FORMAT, FILE_KIND, FILE_COUNT
 */
export async function readModel(source: ModelSource, signal: AbortSignal): Promise<Model> {
  const folder = source.kind === 'run' ? source.run.outputFolder : source.folder
  const files = source.kind === 'run' ? await measureRun(source.run, signal) : await measureFolder(folder, signal)
  const model = files.get(MODEL_FILE)
  if (model === undefined) throw noModel(folder, [...files.keys()])
  const nested = [...files.keys()].find(path => /(^|\/)\d+\/model\.onnx$/.test(path))
  if (nested !== undefined) throw twoModels(folder, nested)
  return {
    files,
    signature: await readSignature(model),
    run: source.kind === 'run' ? { digest: source.run.digest, record: source.run.record } : null,
  }
}

/**
 * The layers of a model: large files one each, the others together, all below `modelPath`/VERSION.
 * `modelPath` is absolute, in the image.
 */
export function planModelLayers(
  { files }: Model,
  modelPath: string,
  version: number,
  signal: AbortSignal,
): readonly LayerPlan[] {
  const folder = `${modelPath.replaceAll(/^\/+|\/+$/g, '')}/${version}`
  const entries = [...files]
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([path, file]) => toLayerFile(`${folder}/${path}`, file, 0o644, signal))
  const large = entries.filter(({ sizeBytes }) => sizeBytes >= OWN_LAYER_BYTES)
  const small = entries.filter(({ sizeBytes }) => sizeBytes < OWN_LAYER_BYTES)
  return [...large.map(entry => [entry]), ...(small.length > 0 ? [small] : [])].map(entries => ({
    kind: 'model',
    wrap: 'stored',
    entries,
  }))
}

async function measureRun(run: StoredRun, signal: AbortSignal): Promise<ReadonlyMap<string, MeasuredFile>> {
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
    const file = await measureFile(source, signal).catch(error => {
      throw toSystemCode(error) === 'FILE_READ' ? changed(run, source, 'it cannot be read', error) : error
    })
    if (file.digest !== digest) throw changed(run, source, 'its content is another')
    files.set(path, file)
  }
  return files
}

async function measureFolder(folder: string, signal: AbortSignal): Promise<ReadonlyMap<string, MeasuredFile>> {
  const paths = await listFiles(folder, MAX_MODEL_FILES).catch(error => {
    const code = toSystemCode(error)
    throw code === 'ENOENT' || code === 'ENOTDIR' ? noModel(folder, undefined, error) : error
  })
  // Looked for before anything is read: a wrong folder may hold a great deal.
  if (!paths.includes(MODEL_FILE)) throw noModel(folder, paths)
  const files = new Map<string, MeasuredFile>()
  for (const path of paths) files.set(path, await measureFile(join(folder, path), signal))
  return files
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
    return readOnnxSignature(await readFile(source))
  } catch (error) {
    if (!(error instanceof RegattaError)) throw error
    throw new RegattaError(error.code, error.message, {
      where: source,
      ...(error.fix !== undefined && { fix: error.fix }),
      cause: error,
    })
  }
}

function noModel(folder: string, found: readonly string[] | undefined, cause?: unknown): RegattaError {
  const version = found?.find(path => /^\d+\/model\.onnx$/.test(path))
  const shown =
    found === undefined ? 'no such folder' : found.length === 0 ? 'an empty folder' : found.slice(0, 5).join(', ')
  return new RegattaError('PACK_NO_MODEL', `Cannot pack "${folder}": expected ${MODEL_FILE} in it, found ${shown}`, {
    fix:
      version === undefined
        ? 'Name the folder that holds the model as model.onnx'
        : `Name the folder of one version: ${join(folder, version.slice(0, -MODEL_FILE.length - 1))}`,
    cause,
  })
}

function twoModels(folder: string, nested: string): RegattaError {
  return new RegattaError(
    'PACK_MODEL',
    `Cannot pack "${folder}": it holds "${nested}" beside ${MODEL_FILE}, and an image has one model`,
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
