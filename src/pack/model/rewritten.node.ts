import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../core/brands.ts'

/** Below the cache's folder: what was found of each model, and the rewritten one, named by the model's digest. */
const FOLDER = 'loops'

/** Where what was found of a model lies (with `.json` after it), and the rewritten one (with `.onnx`). */
export function toRewrittenPlace(cacheFolder: string, model: Digest): string {
  return join(cacheFolder, FOLDER, model.slice('sha256:'.length))
}

/** Frees the models that were rewritten; what was found of them stays, and packing makes them again. Gives the bytes. */
export async function pruneRewritten(cacheFolder: string, { dryRun }: { readonly dryRun: boolean }): Promise<number> {
  const folder = join(cacheFolder, FOLDER)
  const names = await readdir(folder).catch(() => [])
  let bytes = 0
  for (const path of names.filter(name => name.endsWith('.onnx')).map(name => join(folder, name))) {
    bytes += (await stat(path)).size
    if (!dryRun) await rm(path)
  }
  return bytes
}
