import type { Notice } from '../deploy/index.ts'
import type { ProcessJson, StatusJson } from './api.ts'

/** What somebody who looks at the target should hear of between two statuses; the first has nothing before it. */
export function toNotices(before: StatusJson | undefined, after: StatusJson): readonly Notice[] {
  if (before === undefined) return []
  return [...toChampionNotices(before, after), ...toFailureNotices(before, after)]
}

function toChampionNotices(before: StatusJson, after: StatusJson): readonly Notice[] {
  const [was, is] = [findChampion(before), findChampion(after)]
  if (is === undefined || is === was) return []
  const text = was === undefined ? `The champion is ${is}` : `The champion is ${is}; it was ${was}`
  return [{ reason: 'ChampionChanged', text, isWarning: false }]
}

function findChampion({ variants }: StatusJson): string | undefined {
  const champion = variants.find(({ role, live }) => role === 'champion' && live)
  return champion && `${champion.name} (version ${champion.version})`
}

function toFailureNotices(before: StatusJson, after: StatusJson): readonly Notice[] {
  const failed = new Set(listProcesses(before).flatMap(({ name, code }) => (code === null ? [] : [`${name} ${code}`])))
  return listProcesses(after).flatMap(({ name, state, code, reason }) => {
    if (code === null || failed.has(`${name} ${code}`)) return []
    const text = `${name} [${code}] ${reason ?? ''}`
    return [{ reason: state === 'failing' ? 'ReplicaFailing' : 'ReplicaSlow', text, isWarning: true }]
  })
}

function listProcesses({ gateway, variants }: StatusJson): readonly ProcessJson[] {
  return [gateway.process, ...variants.flatMap(({ replicas }) => replicas)]
}
