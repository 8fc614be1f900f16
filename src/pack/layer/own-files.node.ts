import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { RegattaError } from '../../core/errors.ts'
import { listFiles, type Measuring, measureFile, requireNoSecret, toLayerFile } from './files.node.ts'
import type { LayerFile, LayerPlan } from './layer.ts'

const MAX_FILES = 100_000
/** Python writes these as it likes; with the times of an image's files they are never up to date. */
const LEFT_OUT = new Set(['__pycache__'])

/**
 * Plans the layers of `image.files`: path in the image → file or folder of the project, each a layer of its own in the
 * order of the mapping, so that a folder of packages stays where only a program changes.
 * @throws FILE_MISSING, FILE_KIND, FILE_COUNT, FILE_SECRET, FILE_READ
 */
export async function planOwnFiles(
  files: Readonly<Record<string, string>>,
  folder: string,
  measuring: Measuring,
): Promise<readonly LayerPlan[]> {
  const layers: LayerPlan[] = []
  for (const [target, named] of Object.entries(files)) {
    const source = resolve(folder, named)
    const paths = await listSources(source, named)
    const entries: LayerFile[] = []
    for (const path of paths) {
      const file = await measureFile(join(source, path), measuring)
      const place = path === '' ? target : `${target}/${path}`
      entries.push(toLayerFile(place.slice(1), file, file.executable ? 0o755 : 0o644, measuring.signal))
    }
    layers.push({ kind: 'files', wrap: 'gzip', entries, why: `${named} of the project, as ${target}` })
  }
  return layers
}

/** Paths below a folder, or '' for a file. */
async function listSources(source: string, named: string): Promise<readonly string[]> {
  const found = await stat(source).catch(cause => {
    throw missing(source, named, cause)
  })
  if (found.isDirectory()) {
    const paths = await listFiles(source, { maxFiles: MAX_FILES, without: LEFT_OUT })
    if (paths.length === 0) throw missing(source, named)
    return paths
  }
  await requireNoSecret(dirname(source), basename(source))
  return ['']
}

function missing(source: string, named: string, cause?: unknown): RegattaError {
  return new RegattaError('FILE_MISSING', `Cannot pack "${named}" of image.files: no file is there`, {
    where: source,
    fix: 'Make it, or correct image.files in regatta.yaml',
    cause,
  })
}
