import { RegattaError, UsageError } from '../core/errors.ts'
import { listVersions, type Version } from '../pack/index.ts'
import type { Workplace } from './workplace.node.ts'

/** The version that a person named (`3`), or the latest. @throws VERSION_UNKNOWN, VERSION_NONE, VERSION */
export async function resolveVersion(workplace: Workplace, text: string | undefined): Promise<Version> {
  const versions = await listVersions(workplace.layout, workplace.project.name)
  if (text === undefined) {
    const latest = versions.toSorted((a, b) => b.version - a.version)[0]
    if (latest !== undefined) return latest
    throw new RegattaError('VERSION_NONE', 'No version is packed yet', {
      where: workplace.paths.layout,
      fix: 'regatta train, then regatta pack',
    })
  }
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new UsageError('VERSION', `Cannot read "${text}" as a version: expected a whole number of 1 or more`, {
      fix: 'Leave it out for the latest, or name what regatta pack printed',
    })
  }
  const found = versions.find(({ version }) => version === Number(text))
  if (found !== undefined) return found
  const known = versions.map(({ version }) => version).sort((a, b) => a - b)
  throw new RegattaError('VERSION_UNKNOWN', `There is no version ${text} of ${workplace.project.name}`, {
    where: workplace.paths.layout,
    fix: known.length === 0 ? 'regatta train, then regatta pack' : `Versions packed here: ${known.join(', ')}`,
  })
}
