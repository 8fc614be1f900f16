import type { HistoryJson, PromoteResponseJson, StatusJson } from '../control/index.ts'
import { RegattaError, UsageError } from '../core/errors.ts'
import type { ControlClient } from './client.node.ts'
import { untilReady } from './deploying.node.ts'
import type { Call } from './verb.ts'

/** How many changes are looked through for a version. */
const MAX_CHANGES = 1000

/**
 * Makes the former champion the champion again, or the version of this number, which was the champion before. One that
 * stands by answers with the next request; another one's replicas start first, from the image that it had.
 * @throws ROLLBACK_VERSION, ROLLBACK_UNKNOWN, NO_STANDBY, NOT_READY, ALREADY_CHAMPION
 */
export async function rollBack(
  call: Pick<Call, 'clock' | 'err' | 'signal' | 'terminal'>,
  client: Pick<ControlClient, 'deploy' | 'history' | 'rollback' | 'status'>,
  wish: { readonly version: string | undefined; readonly reason: string | undefined },
): Promise<PromoteResponseJson> {
  if (wish.version === undefined) return await client.rollback(wish.reason)
  const version = parseVersion(wish.version)
  const [{ variants }, { changes }] = await Promise.all([client.status(), client.history(MAX_CHANGES)])
  const champion = variants.find(({ live, role }) => live && role === 'champion')
  if (champion?.version === version) {
    throw new RegattaError('ALREADY_CHAMPION', `Cannot roll back to version ${version}: it is the champion already`, {
      fix: 'regatta history tells which versions were the champion',
    })
  }
  if (variants.some(({ role, version: other }) => role === 'standby' && other === version))
    return await client.rollback(wish.reason)
  const digest = findChampion(changes, version)
  const reason = [`rollback to version ${version}`, wish.reason].filter(part => part !== undefined).join(': ')
  const response = await client.deploy({ version, digest }, reason)
  const status = await untilReady(call, client, response)
  return toPromoted(status, response.variant, champion?.name ?? response.variant)
}

function toPromoted({ epoch, variants }: StatusJson, name: string, previous: string): PromoteResponseJson {
  const version = variants.find(({ name: other, role }) => other === name && role === 'champion')?.version ?? 0
  return { schema: 'regatta/promote/v1', champion: name, version, previous, epoch }
}

function findChampion(changes: HistoryJson['changes'], version: number): string {
  const champions = changes.flatMap(({ variants }) => variants.filter(({ role }) => role === 'champion'))
  const found = champions.find(one => one.version === version)
  if (found !== undefined) return found.digest
  const known = [...new Set(champions.map(one => one.version))].join(', ')
  throw new RegattaError('ROLLBACK_UNKNOWN', `Cannot roll back to version ${version}: it was never the champion here`, {
    fix: `${known === '' ? '' : `Choose one of ${known}, or `}deploy it: regatta deploy ${version}`,
  })
}

function parseVersion(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new UsageError('ROLLBACK_VERSION', `Cannot read "${text}" as a version: expected a whole number from 1 on`, {
    fix: 'regatta history tells which versions were the champion',
  })
}
