import { join } from 'node:path'
import { type Digest, parseDigest } from '../../core/brands.ts'
import { toDiskError } from '../../core/disk.ts'
import { readFileIfAny, replaceFile } from '../../core/files.node.ts'
import { isObject, toCanonicalJson } from '../../core/json.ts'

/*
 * Digests of files that were read before: `cache/files.json`, a list of [path, mark, digest], those used last at its
 * end. It is of this machine alone and never gets into an image. A list that cannot be read costs one more reading.
 */

/** A change of what a mark is made of makes the old ones worthless. */
const FORMAT = 1
/** More than a model, a runtime and a folder of Python packages have; the oldest are forgotten first. */
const MAX_FILES = 50_000

/** What is known of files by how they looked when they were read. */
export interface KnownFiles {
  /** The digest of a file that looks as it did then. */
  find(path: string, mark: string): Digest | undefined
  remember(path: string, mark: string, digest: Digest): void
  /** Writes down what was learnt. @throws DISK_FULL */
  save(): Promise<void>
}

/** Reads what is known. With `verify` nothing is, and every file is read again. */
export async function openKnownFiles(cacheFolder: string, { verify }: { verify: boolean }): Promise<KnownFiles> {
  const path = join(cacheFolder, 'files.json')
  const files = verify ? new Map<string, KnownFile>() : parseFiles(await readFileIfAny(path).catch(() => undefined))
  let learnt = false
  return {
    find(source, mark) {
      const found = files.get(source)
      return found?.mark === mark ? found.digest : undefined
    },
    remember(source, mark, digest) {
      learnt = true
      files.delete(source)
      files.set(source, { mark, digest })
    },
    async save() {
      if (!learnt) return
      const listed = [...files].slice(-MAX_FILES).map(([source, { digest, mark }]) => [source, mark, digest])
      try {
        await replaceFile(path, toCanonicalJson({ format: FORMAT, files: listed }), 0o600)
      } catch (error) {
        throw toDiskError(error, path)
      }
    },
  }
}

interface KnownFile {
  readonly mark: string
  readonly digest: Digest
}

function parseFiles(text: string | undefined): Map<string, KnownFile> {
  const files = new Map<string, KnownFile>()
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    if (!isObject(value) || value['format'] !== FORMAT || !Array.isArray(value['files'])) return files
    for (const item of value['files']) {
      const [source, mark, digest]: readonly unknown[] = Array.isArray(item) ? item : []
      if (typeof source !== 'string' || typeof mark !== 'string' || typeof digest !== 'string') continue
      files.set(source, { mark, digest: parseDigest(digest) })
    }
  } catch {
    // Half a list is as good as the files it names.
  }
  return files
}
