import { constants, copyFile, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { toDiskError } from '../core/disk.ts'
import { RegattaError, toErrorText } from '../core/errors.ts'
import { readFileDigest } from './data.node.ts'
import type { Problem } from './end.ts'
import { type ModelSignature, readOnnxSignature } from './onnx.ts'
import type { FileDigest } from './record.ts'

/** The file that every model has. */
const MODEL_FILE = 'model.onnx'
const MAX_FILES = 10_000
/** A protobuf message ends at 2 GiB (protobuf.dev/programming-guides/encoding, "Size limits"). */
const MAX_MODEL_BYTES = 2 ** 31 - 1

/** What a command left, or why it is no model. */
export type Left = { readonly files: readonly FileDigest[]; readonly signature: ModelSignature } | Problem

/** The two folders that a command may leave its model in. Absolute paths. */
export interface OutputFolders {
  /** REGATTA_OUTPUT: the run's own. */
  readonly own: string
  /** `train.output`: used where the run's own has no model. */
  readonly usual: string
  /** What `readMark(usual)` gave before the command. */
  readonly usualMark: string | undefined
}

/** Tells one state of a folder's model from the next; undefined where it has none. */
export async function readMark(folder: string): Promise<string | undefined> {
  try {
    const { ctimeNs, ino, mtimeNs, size } = await stat(join(folder, MODEL_FILE), { bigint: true })
    return [ino, size, mtimeNs, ctimeNs].join(' ')
  } catch {
    return undefined
  }
}

/** Takes the model that a command left: its files lie in the run's own folder then. @throws DISK_FULL */
export async function takeOutput(folders: OutputFolders): Promise<Left> {
  const { own, usual, usualMark } = folders
  const mark = await readMark(usual)
  const hasOwn = (await readMark(own)) !== undefined
  if (!hasOwn && mark !== undefined && mark !== usualMark) {
    const problem = await copyModel(usual, own)
    if (problem !== undefined) return problem
  }
  const found = await listFiles(own)
  if ('code' in found) return found
  if (!found.paths.includes(MODEL_FILE)) return toNoModel(folders, mark !== undefined, found.paths)
  return await readModel(own, found.paths)
}

async function readModel(folder: string, paths: readonly string[]): Promise<Left> {
  const path = join(folder, MODEL_FILE)
  const { size } = await stat(path)
  if (size > MAX_MODEL_BYTES) {
    return {
      code: 'ONNX_FORMAT',
      reason: `${MODEL_FILE} has ${size} bytes, ONNX ends at 2 GiB: save its weights as external data beside it`,
    }
  }
  try {
    const signature = readOnnxSignature(await readFile(path))
    const files: FileDigest[] = []
    for (const file of paths) files.push(await readFileDigest(folder, file))
    return { files, signature }
  } catch (error) {
    if (!(error instanceof RegattaError) || error.code !== 'ONNX_FORMAT') throw error
    return { code: 'ONNX_FORMAT', reason: `${MODEL_FILE}: ${toErrorText(error)}` }
  }
}

async function copyModel(from: string, to: string): Promise<Problem | undefined> {
  const found = await listFiles(from)
  if ('code' in found) return found
  try {
    for (const path of found.paths) {
      await mkdir(dirname(join(to, path)), { recursive: true })
      await copyFile(join(from, path), join(to, path), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    }
  } catch (error) {
    const disk = toDiskError(error, to)
    if (disk instanceof RegattaError) throw disk
    return { code: 'RUN_OUTPUT', reason: `the files of "${from}" cannot be copied: ${toErrorText(error)}` }
  }
  return undefined
}

/** Every file below a folder, as paths with `/` in the order of their names. */
async function listFiles(folder: string): Promise<{ readonly paths: readonly string[] } | Problem> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => !entry.isDirectory())
  const toPath = (entry: (typeof entries)[number]): string => relative(folder, join(entry.parentPath, entry.name))
  const odd = files.find(entry => !entry.isFile() || /[\p{Cc}\uFFFD]/u.test(entry.name))
  if (odd !== undefined) {
    const what = odd.isSymbolicLink() ? 'a link' : odd.isFile() ? 'a name that is not plain UTF-8' : 'no regular file'
    return { code: 'RUN_OUTPUT', reason: `the output holds "${toPath(odd)}", which is ${what}` }
  }
  if (files.length > MAX_FILES) {
    return { code: 'RUN_OUTPUT', reason: `the output holds ${files.length} files, expected at most ${MAX_FILES}` }
  }
  return { paths: files.map(toPath).sort() }
}

function toNoModel({ usual }: OutputFolders, hasOld: boolean, paths: readonly string[]): Problem {
  const found = paths.length === 0 ? '' : `; it left ${paths.slice(0, 5).join(', ')}${paths.length > 5 ? ', …' : ''}`
  const old = hasOld ? `; the one in "${usual}" is older than this run` : ''
  return {
    code: 'RUN_NO_MODEL',
    reason: `the command left no ${MODEL_FILE} in REGATTA_OUTPUT or train.output${found}${old}`,
  }
}
