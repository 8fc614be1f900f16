import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { RegattaError, toSystemCode } from '../../core/errors.ts'
import type { ModelConfig } from './catalog.ts'
import { MODEL_FOLDER_FIX, type ModelFile } from './loading.ts'
import { pickVersions } from './version-policy.ts'

/**
 * Finds the versions below a model's base path that its policy wants, highest first: folders that are not named by a
 * whole number are other people's. Zeros may stand before a number, as TensorFlow's examples have it.
 * @throws MODEL_MISSING
 */
export async function findModelFiles({ basePath, policy }: ModelConfig): Promise<readonly ModelFile[]> {
  const folders = new Map<number, string>()
  for (const name of (await listNames(basePath)).filter(name => /^\d{1,15}$/.test(name)).sort(byLength)) {
    const version = Number(name)
    if (!folders.has(version)) folders.set(version, name)
  }
  const picked = pickVersions(policy, [...folders.keys()])
  return await Promise.all(
    picked.map(version => readModelFile(version, join(basePath, folders.get(version) ?? String(version)))),
  )
}

/** Checks that there is something to load. @throws MODEL_MISSING */
export async function checkModelFile({ path }: ModelFile): Promise<void> {
  const found = await readStat(path)
  if (found !== undefined && found.size > 0) return
  const what = 'Cannot load the model: there is no such file, or it is empty'
  throw new RegattaError('MODEL_MISSING', what, { where: path, fix: MODEL_FOLDER_FIX })
}

/** Shorter names first: `1` rather than `01`. */
function byLength(a: string, b: string): number {
  return a.length - b.length
}

async function readModelFile(version: number, folder: string): Promise<ModelFile> {
  // A folder that has just vanished has no files.
  const names = await readdir(folder).catch(() => [])
  const stats = await Promise.all(names.sort().map(async name => ({ name, stat: await readStat(join(folder, name)) })))
  return {
    version,
    path: join(folder, 'model.onnx'),
    sizeBytes: stats.reduce((sum, file) => sum + (file.stat?.size ?? 0), 0),
    stamp: stats.map(file => `${file.name} ${file.stat?.size} ${file.stat?.mtimeMs}`).join('\n'),
  }
}

/** Size and time of a file; undefined where there is none. */
async function readStat(path: string): Promise<{ readonly size: number; readonly mtimeMs: number } | undefined> {
  try {
    const found = await stat(path)
    return found.isFile() ? found : undefined
  } catch {
    return undefined
  }
}

async function listNames(basePath: string): Promise<readonly string[]> {
  try {
    return await readdir(basePath)
  } catch (error) {
    const found = toSystemCode(error) === 'ENOENT' ? 'there is no such folder' : `${toSystemCode(error) ?? error}`
    throw new RegattaError('MODEL_MISSING', `Cannot read the model's folder: ${found}`, {
      where: basePath,
      fix: MODEL_FOLDER_FIX,
      cause: error,
    })
  }
}
