import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { RegattaError, toSystemCode } from '../core/errors.ts'

/** One version of a model on disk. */
export interface ModelFile {
  readonly version: number
  readonly path: string
  /** Of all files in the version's folder: a model may keep its weights beside itself. */
  readonly sizeBytes: number
}

const FIX = 'Give the folder that holds VERSION/model.onnx, VERSION being a whole number'

/**
 * Finds the highest version below a model's base path: folders that are not named by a whole number are other
 * people's. @throws MODEL_MISSING
 */
export async function findModelFile(basePath: string): Promise<ModelFile> {
  const versions = (await listNames(basePath)).filter(name => /^[1-9]\d{0,14}$/.test(name)).map(Number)
  if (versions.length === 0) {
    throw new RegattaError('MODEL_MISSING', 'Cannot find a version of the model: no folder is named by a number', {
      where: basePath,
      fix: FIX,
    })
  }
  const version = Math.max(...versions)
  const folder = join(basePath, String(version))
  const path = join(folder, 'model.onnx')
  if ((await readSize(path)) === 0) {
    const what = 'Cannot load the model: there is no such file, or it is empty'
    throw new RegattaError('MODEL_MISSING', what, { where: path, fix: FIX })
  }
  const sizes = await Promise.all((await listNames(folder)).map(name => readSize(join(folder, name))))
  return { version, path, sizeBytes: sizes.reduce((sum, size) => sum + size, 0) }
}

/** Bytes of a file; 0 where there is none. */
async function readSize(path: string): Promise<number> {
  try {
    const found = await stat(path)
    return found.isFile() ? found.size : 0
  } catch {
    return 0
  }
}

async function listNames(basePath: string): Promise<readonly string[]> {
  try {
    return await readdir(basePath)
  } catch (error) {
    const found = toSystemCode(error) === 'ENOENT' ? 'there is no such folder' : `${toSystemCode(error) ?? error}`
    throw new RegattaError('MODEL_MISSING', `Cannot read the model's folder: ${found}`, {
      where: basePath,
      fix: FIX,
      cause: error,
    })
  }
}
