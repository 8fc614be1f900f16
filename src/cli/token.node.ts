import { randomBytes } from 'node:crypto'
import { link, mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { toScopedToken } from '../control/index.ts'
import { RegattaError, toSystemCode } from '../core/errors.ts'
import { readFileIfAny } from '../core/files.node.ts'

/**
 * Reads the project's admin token, making one where there is none: 32 random bytes in a file that only its owner
 * reads. Two makers at once end with one token. @throws TOKEN_OPEN where others may read the file
 */
export async function readOrMakeToken(path: string): Promise<string> {
  const known = await readToken(path)
  if (known !== undefined) return known
  await mkdir(dirname(path), { recursive: true })
  const part = `${path}.${randomBytes(6).toString('hex')}.part`
  await writeFile(part, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
  try {
    await link(part, path)
  } catch (error) {
    if (toSystemCode(error) !== 'EEXIST') throw error
  } finally {
    await rm(part, { force: true })
  }
  return (await readToken(path)) ?? readOrMakeToken(path)
}

/** Reads the project's admin token, or undefined where none was made yet. @throws TOKEN_OPEN, TOKEN_EMPTY */
export async function readToken(path: string): Promise<string | undefined> {
  const text = (await readFileIfAny(path))?.trim()
  if (text === undefined) return undefined
  if (text === '') {
    throw new RegattaError('TOKEN_EMPTY', 'Cannot use an empty token file', { where: path, fix: `rm ${path}` })
  }
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0) {
    throw new RegattaError(
      'TOKEN_OPEN',
      `Cannot use a token that others may read: mode ${(mode & 0o777).toString(8)}, wanted 600`,
      {
        where: path,
        fix: `chmod 600 ${path}; if somebody may have read it, delete it and run "regatta down" and "regatta up"`,
      },
    )
  }
  return text
}

/** The headers that a request for a prediction needs. @throws TOKEN_OPEN, TOKEN_EMPTY */
export async function readAccess(path: string, access: 'open' | 'token'): Promise<Readonly<Record<string, string>>> {
  if (access === 'open') return {}
  const admin = await readToken(path)
  return admin === undefined ? {} : { authorization: `Bearer ${toScopedToken(admin, 'predict')}` }
}
