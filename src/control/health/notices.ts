import type { Notice } from '../../deploy/index.ts'
import type { ProcessJson, StatusJson } from '../api/status.ts'

/** Something about one process: it begins to fail or to perform poorly, or does so no longer. */
export interface ProcessNotice extends Notice {
  readonly process: string
}

/** What somebody who looks at the target should hear of a new champion; the first status has nothing before it. */
export function toChampionNotices(before: StatusJson | undefined, after: StatusJson): readonly Notice[] {
  if (before === undefined) return []
  const [was, is] = [findChampion(before), findChampion(after)]
  if (is === undefined || is === was) return []
  const text = was === undefined ? `The champion is ${is}` : `The champion is ${is}; it was ${was}`
  return [{ reason: 'ChampionChanged', text, isWarning: false }]
}

function findChampion({ variants }: StatusJson): string | undefined {
  const champion = variants.find(({ role, live }) => role === 'champion' && live)
  return champion && `${champion.name} (version ${champion.version})`
}

/** A process that comes and goes between two looks has not recovered: it is told once it is quiet for so long, ms. */
const QUIET_MS = 60_000

interface Open {
  readonly process: string
  readonly code: string
  seenAt: number
}

/**
 * Tells what is wrong with a process once when it begins and once when it is over: the process is gone, or was quiet for
 * a minute. What was wrong when control came up has been told before.
 */
export class ProcessIncidents {
  readonly #open = new Map<string, Open>()
  #isFirst = true

  /** Looks at a status; to be called now and then though nothing changes. */
  note(status: StatusJson, now: number): readonly ProcessNotice[] {
    const processes = [status.gateway.process, ...status.variants.flatMap(({ replicas }) => replicas)]
    const begun = processes.flatMap(process => this.#see(process, now))
    const names = new Set(processes.map(({ name }) => name))
    const over = [...this.#open].filter(([, { process, seenAt }]) => !names.has(process) || now - seenAt >= QUIET_MS)
    for (const [key] of over) this.#open.delete(key)
    const isFirst = this.#isFirst
    this.#isFirst = false
    return [...(isFirst ? [] : begun), ...over.map(([, incident]) => toEnd(incident))]
  }

  #see({ name, state, code, reason }: ProcessJson, now: number): readonly ProcessNotice[] {
    if (code === null) return []
    const key = `${name} ${code}`
    const known = this.#open.get(key)
    this.#open.set(key, { process: name, code, seenAt: now })
    if (known !== undefined) return []
    const text = `${name} [${code}] ${reason ?? ''}`
    return [{ process: name, reason: state === 'failing' ? 'ReplicaFailing' : 'ReplicaSlow', text, isWarning: true }]
  }
}

function toEnd({ process, code }: Open): ProcessNotice {
  return { process, reason: 'ReplicaRecovered', text: `${process} [${code}] is over`, isWarning: false }
}
