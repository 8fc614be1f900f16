import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { RegattaError, toErrorText, toSystemCode } from '../../core/errors.ts'
import { readFileIfAny, writeFileWhole } from '../../core/files.node.ts'
import { isObject } from '../../core/json.ts'
import type { ProcessId } from '../../core/process.node.ts'

/** What a supervised process is. */
export type ProcessKind = 'gateway' | 'replica'

/** A supervised process as its pid file tells it. */
export interface ProcessRecord extends ProcessId {
  readonly kind: ProcessKind
}

/** One pid file: its record, or why it cannot be read. */
export type ProcessFile =
  | { readonly name: string; readonly record: ProcessRecord }
  | { readonly name: string; readonly problem: string }

const toPath = (folder: string, name: string): string => join(folder, 'processes', `${name}.json`)

/** Writes the pid file of a process. */
export async function writeProcessRecord(folder: string, name: string, record: ProcessRecord): Promise<void> {
  await writeFileWhole(toPath(folder, name), `${JSON.stringify(record)}\n`)
}

/** Removes the pid file of a process that has ended. */
export async function removeProcessRecord(folder: string, name: string): Promise<void> {
  await rm(toPath(folder, name), { force: true })
}

/** Reads all pid files; what a crash left half written is removed. */
export async function readProcessRecords(folder: string): Promise<readonly ProcessFile[]> {
  const files: ProcessFile[] = []
  for (const file of await listFiles(join(folder, 'processes'))) {
    const name = file.replace(/\.json$/, '')
    if (name === file) await rm(join(folder, 'processes', file), { force: true, recursive: true })
    else files.push(await readProcessRecord(folder, name))
  }
  return files
}

async function readProcessRecord(folder: string, name: string): Promise<ProcessFile> {
  try {
    const text = await readFileIfAny(toPath(folder, name))
    return { name, record: parseProcessRecord(JSON.parse(text ?? 'null')) }
  } catch (error) {
    return { name, problem: toErrorText(error) }
  }
}

function parseProcessRecord(value: unknown): ProcessRecord {
  if (isObject(value)) {
    const { pid, startTime, kind } = value
    if (typeof pid === 'number' && Number.isInteger(pid) && pid > 1 && typeof startTime === 'string')
      if (kind === 'gateway' || kind === 'replica') return { pid, startTime, kind }
  }
  throw new RegattaError('PROCESS_RECORD', 'Cannot read a process record: expected pid, startTime and kind')
}

async function listFiles(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (toSystemCode(error) === 'ENOENT') return []
    throw error
  }
}
