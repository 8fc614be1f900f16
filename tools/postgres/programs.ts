import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { aptInstall } from '../images/apt.ts'

/** Where the programs of PostgreSQL are, or why there are none. */
export type Programs = { readonly folder: string } | { readonly problem: string }

/** Where Debian puts each version. */
const DEBIAN = '/usr/lib/postgresql'

/** Finds the programs of the newest PostgreSQL here, and installs Debian's where there is none. */
export function ensurePrograms(): Programs {
  const found = findFolder()
  if (found !== undefined) return { folder: found }
  const installed = aptInstall(['postgresql'])
  if ('problem' in installed) return installed
  const folder = findFolder()
  return folder === undefined ? { problem: `no initdb in ${DEBIAN} after the installation` } : { folder }
}

function findFolder(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).map(Number).filter(Number.isFinite) : []
  const debian = versions.sort((a, b) => b - a).map(version => join(DEBIAN, String(version), 'bin'))
  const others = (process.env['PATH'] ?? '').split(delimiter)
  return [...debian, ...others].find(folder => ['initdb', 'postgres'].every(name => existsSync(join(folder, name))))
}
