import { access, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Digest } from '../../core/brands.ts'
import { toDiskError } from '../../core/disk.ts'
import { RegattaError, toErrorText, toSystemCode } from '../../core/errors.ts'
import type { ImageLayout } from '../../oci/index.ts'
import type { VariantPlan } from '../target.ts'
import { toPlanError } from './converge.ts'
import { extractLayer } from './layer.node.ts'

/** Annotation of an image's layer that says what it holds; `model` is what is extracted here. */
const LAYER = 'dev.regatta.layer'
const MODEL_FILE = /(^|\/)\d+\/model\.onnx$/
/** What can be wrong with an image itself; anything else is this machine's trouble and may pass. */
const IMAGE_CODES = new Set([
  'BLOB_MISSING',
  'BLOB_DIGEST',
  'BLOB_SIZE',
  'DIGEST',
  'LAYER_TYPE',
  'MANIFEST',
  'TAR_FORMAT',
  'TAR_ENTRY',
])

/**
 * Makes sure that the model of a variant's image lies in `FOLDER/models/`, and returns the model's base path, which
 * holds `VERSION/model.onnx`. It appears whole, under the image's digest, once every layer's digest has been checked.
 * @throws TARGET_PLAN where there is no such image or no such model in it; DISK_FULL
 */
export async function extractModel(
  layout: ImageLayout,
  folder: string,
  variant: VariantPlan,
  signal: AbortSignal,
): Promise<string> {
  const base = toModelFolder(folder, variant.digest)
  if (!(await exists(base))) await extractBase(layout, variant.digest, base, signal)
  if (await exists(join(base, String(variant.version), 'model.onnx'))) return base
  const found = (await readdir(base)).join(', ')
  throw toPlanError(`image ${variant.digest}`, `expected version ${variant.version} of the model, found ${found}`)
}

/** Removes all extracted models but those of these images, and what a crash left half extracted. */
export async function pruneModels(folder: string, kept: readonly Digest[]): Promise<void> {
  for (const name of await listUnusedModels(folder, kept))
    await rm(join(folder, 'models', name), { recursive: true, force: true })
}

/** Names of the folders below `FOLDER/models/` that hold no model of these images. */
export async function listUnusedModels(folder: string, kept: readonly Digest[]): Promise<readonly string[]> {
  const used = new Set(kept.map(digest => basename(toModelFolder(folder, digest))))
  try {
    return (await readdir(join(folder, 'models'))).filter(name => !used.has(name))
  } catch (error) {
    if (toSystemCode(error) === 'ENOENT') return []
    throw error
  }
}

/** Twelve digits tell the images of one project apart, and paths stay readable. */
function toModelFolder(folder: string, digest: Digest): string {
  return join(folder, 'models', digest.slice('sha256:'.length, 'sha256:'.length + 12))
}

async function extractBase(layout: ImageLayout, digest: Digest, base: string, signal: AbortSignal): Promise<void> {
  const part = `${base}.part`
  try {
    await rm(part, { recursive: true, force: true })
    const { layers } = await layout.readManifest(digest)
    const paths = new Set<string>()
    for (const layer of layers.filter(layer => layer.annotations?.[LAYER] === 'model'))
      for (const path of await extractLayer(layout, layer, part, signal)) paths.add(path)
    await rename(join(part, findModelPath([...paths], digest)), base)
  } catch (error) {
    throw toExtractError(error, digest, part)
  } finally {
    await rm(part, { recursive: true, force: true })
  }
}

function toExtractError(error: unknown, digest: Digest, part: string): unknown {
  if (!(error instanceof RegattaError && IMAGE_CODES.has(error.code))) return toDiskError(error, part)
  const fix = 'Pack the version again, or deploy another one'
  return toPlanError(`image ${digest}`, toErrorText(error), { fix, cause: error })
}

/** The folder within the image that holds the version's folder, which holds all files of the model. */
function findModelPath(paths: readonly string[], digest: Digest): string {
  const models = paths.filter(path => MODEL_FILE.test(path))
  const [only] = models
  if (only === undefined || models.length > 1)
    throw toPlanError(
      `image ${digest}`,
      `expected one VERSION/model.onnx in its model layers, found ${models.length}`,
      {
        fix: 'Pack the run again; images of other servers do not run on the local target',
      },
    )
  const version = dirname(only)
  const stray = paths.find(path => !path.startsWith(`${version}/`))
  if (stray !== undefined)
    throw toPlanError(`image ${digest}`, `expected only files under "${version}" in its model layers, found "${stray}"`)
  return dirname(version)
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
