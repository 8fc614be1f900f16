import { promisify } from 'node:util'
import type { Environment } from '../config/index.ts'
import { toSystemCode } from '../core/errors.ts'
import { isObject } from '../core/json.ts'
import type { RunRecord } from './record.ts'

const TIMEOUT_MS = 30_000
const MAX_BYTES = 64 * 1024 * 1024

/** The state of the code; `note` says why there is none although there is a repository. */
export interface GitState {
  readonly git: RunRecord['git']
  readonly note: string | undefined
}

/**
 * Reads the commit of a project's folder, and whether any file of its repository differs from it or is neither
 * committed nor ignored. `.regatta` does not count. Source: git-status(1), "Porcelain Format Version 2".
 */
export async function readGit(folder: string, env: Environment, signal: AbortSignal): Promise<GitState> {
  const status = ['status', '--porcelain=v2', '--branch', '--', ':/', ':(exclude).regatta']
  try {
    // Loaded late: most commands start no other.
    const { execFile } = await import('node:child_process')
    const { stdout } = await promisify(execFile)('git', status, {
      cwd: folder,
      env: { ...env, LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0' },
      signal,
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_BYTES,
    })
    const lines = stdout.split('\n').filter(line => line !== '')
    const commit = lines.map(line => /^# branch\.oid ([0-9a-f]{40,64})$/.exec(line)?.[1]).find(oid => oid !== undefined)
    const dirty = lines.some(line => !line.startsWith('#'))
    return { git: commit === undefined ? null : { commit, dirty }, note: undefined }
  } catch (error) {
    signal.throwIfAborted()
    if (toSystemCode(error) === 'ENOENT') return { git: null, note: undefined }
    const words = isObject(error) && typeof error['stderr'] === 'string' ? error['stderr'].trim() : ''
    if (words.includes('not a git repository')) return { git: null, note: undefined }
    return {
      git: null,
      note: `git: the commit is unknown: ${words.split('\n')[0]?.slice(0, 300) || 'git did not answer'}`,
    }
  }
}
