import { readFileIfAny, writeFileWhole } from './files.node.ts'
import { isObject } from './json.ts'
import { isRunning, type ProcessId } from './process.node.ts'

/** How to reach the running `up` of a project; written when control listens, removed when it stops. */
export interface UpRecord {
  readonly process: ProcessId
  readonly controlUrl: string
  /** Digest of the configuration that it was started with. */
  readonly startedWith?: string
}

/** The record of an `up` that runs now; undefined where none does (a record of a dead process counts as none). */
export async function readUpRecord(path: string): Promise<UpRecord | undefined> {
  const record = parseUpRecord(await readFileIfAny(path))
  return record !== undefined && isRunning(record.process) ? record : undefined
}

/** Writes the record, whole. */
export async function writeUpRecord(path: string, record: UpRecord): Promise<void> {
  await writeFileWhole(path, `${JSON.stringify(record, null, 2)}\n`)
}

function parseUpRecord(text: string | undefined): UpRecord | undefined {
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (!isObject(value) || !isObject(value['process'])) return undefined
    const { pid, startTime } = value['process']
    const { controlUrl, startedWith } = value
    if (typeof pid !== 'number' || typeof startTime !== 'string' || typeof controlUrl !== 'string') return undefined
    const known = { process: { pid, startTime }, controlUrl }
    return typeof startedWith === 'string' ? { ...known, startedWith } : known
  } catch {
    return undefined
  }
}
