import { rm } from 'node:fs/promises'
import { toDiskError } from '../../core/disk.ts'
import { toErrorText } from '../../core/errors.ts'
import { readFileIfAny, replaceFile } from '../../core/files.node.ts'
import { toDigest } from '../../oci/index.ts'
import { type MeasuredFile, type Measuring, measureFile, toLayerFile } from '../layer/files.node.ts'
import { type Comparison, compareModels, type RunnableModel } from '../onnx/compare.ts'
import { rewriteLoops } from '../onnx/rewrite.ts'
import { type LoopReport, parseLoopReport, toLoopReportText } from './loops.ts'
import { toRewrittenPlace } from './rewritten.node.ts'

/** What runs a model from its file, so that two of them can be compared. */
export type OpenModel = (path: string) => Promise<RunnableModel>

/** What looking for loops needs beside the model. */
export interface LoopWork extends Measuring {
  readonly openModel: OpenModel
  /** Remembers what was found, and holds the models that were rewritten. */
  readonly cacheFolder: string
  /** Looks again, whatever is remembered. @default false */
  readonly verify?: boolean
}

/** A model's file after its loops were looked at. */
export interface LoopedFile {
  readonly file: MeasuredFile
  /** Null for a model without loops, and for one that is too large to look into. */
  readonly report: LoopReport | null
}

/** Larger models are not looked into: two of them are held in memory. */
const MAX_BYTES = 256 * 1024 * 1024

/**
 * Puts ONNX's own operators in the place of a model's loops that compute the same, where running both models shows that
 * they are equal. The bytes depend on the model alone. @throws DISK_FULL, FILE_READ, FILE_CHANGED; the signal's reason
 */
export async function replaceLoops(model: MeasuredFile, work: LoopWork): Promise<LoopedFile> {
  if (model.sizeBytes > MAX_BYTES) return { file: model, report: null }
  const place = toRewrittenPlace(work.cacheFolder, model.digest)
  const known = work.verify === true ? undefined : parseLoopReport(await readFileIfAny(`${place}.json`))
  const report = known ?? (await examine(model, place, work))
  if (report.loops.length === 0) return { file: model, report: null }
  if (report.rewritten === null) return { file: model, report }
  const file = await measureFile(`${place}.onnx`, work).catch(() => undefined)
  if (file?.digest === report.rewritten) return { file, report }
  // What was found holds, but its file is gone or damaged.
  await write(`${place}.onnx`, rewriteLoops(await readWhole(model, work)).bytes ?? '')
  const again = await measureFile(`${place}.onnx`, work)
  return again.digest === report.rewritten
    ? { file: again, report }
    : await replaceLoops(model, { ...work, verify: true })
}

/** Rewrites a model, compares both, and remembers what came of it. */
async function examine(model: MeasuredFile, place: string, work: LoopWork): Promise<LoopReport> {
  const { bytes, loops } = rewriteLoops(await readWhole(model, work))
  const report = { original: model.digest, loops, rewritten: null, problem: null, comparison: null }
  if (bytes === undefined) return await remember(report, place)
  await write(`${place}.onnx`, bytes)
  try {
    const result = await compareFiles(model.source, `${place}.onnx`, work)
    if (!('problem' in result)) {
      return await remember({ ...report, rewritten: toDigest(bytes), comparison: result }, place)
    }
    await rm(`${place}.onnx`)
    return await remember({ ...report, problem: result.problem }, place)
  } catch (error) {
    await rm(`${place}.onnx`, { force: true })
    work.signal.throwIfAborted()
    // Not remembered: another time there may be more memory, or another ONNX Runtime.
    return { ...report, problem: toErrorText(error) }
  }
}

async function remember(report: LoopReport, place: string): Promise<LoopReport> {
  await write(`${place}.json`, toLoopReportText(report))
  return report
}

/** The file as it was when it was measured. */
async function readWhole(model: MeasuredFile, { signal }: LoopWork): Promise<Uint8Array> {
  const whole = Buffer.allocUnsafe(model.sizeBytes)
  let length = 0
  // Copied at once: the memory of a chunk is used again for a later one.
  for await (const chunk of toLayerFile('', model, 0o644, signal).open()) {
    whole.set(chunk, length)
    length += chunk.byteLength
  }
  return whole
}

async function compareFiles(
  original: string,
  rewritten: string,
  { openModel, signal }: LoopWork,
): Promise<Comparison | { readonly problem: string }> {
  await using before = await openModel(original)
  await using after = await openModel(rewritten)
  return await compareModels(before, after, { now: () => performance.now(), signal })
}

async function write(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await replaceFile(path, content)
  } catch (error) {
    throw toDiskError(error, path)
  }
}
