import type { ProcessJson, RaceSummaryJson, StatusJson } from '../control/index.ts'
import { paint, toShortDigest, toTable } from './terminal.ts'

/** The deployment as a table: a line per process, and below it why each failing one fails. */
export function toStatusLines(status: StatusJson, colours: boolean): string {
  if (status.variants.length === 0) return 'nothing is deployed; try: regatta deploy\n'
  const rows = status.variants.flatMap(variant => {
    const { digest, name, role, version, weight } = variant
    const share = role === 'champion' || role === 'split' ? `${Math.round(weight * 1000) / 10} %` : ''
    return variant.replicas.map(replica => [
      `${name} v${version}`,
      role,
      share,
      replica.name,
      toState(replica, colours),
      String(replica.restarts),
      toShortDigest(digest),
    ])
  })
  const gateway = [
    'gateway',
    '',
    '',
    status.gateway.process.name,
    toState(status.gateway.process, colours),
    String(status.gateway.process.restarts),
    status.gateway.url ?? '',
  ]
  const processes = [status.gateway.process, ...status.variants.flatMap(({ replicas }) => replicas)]
  const reasons = processes
    .filter(({ reason }) => reason !== null)
    .map(({ code, name, reason }) => `${name} [${code}] ${reason}\n`)
  const heading = `${status.deployment} on ${status.target}, epoch ${status.epoch}: ${status.ready ? 'ready' : 'not ready'}\n`
  return (
    heading +
    toTable(['VARIANT', 'ROLE', 'SHARE', 'PROCESS', 'STATE', 'RESTARTS', 'IMAGE'], [gateway, ...rows]) +
    reasons.join('') +
    status.races.map(toRaceSummaryLines).join('')
  )
}

function toRaceSummaryLines({
  challenger,
  champion,
  ended,
  guardrails,
  lastEvent,
  reason,
  state,
}: RaceSummaryJson): string {
  const breaches = guardrails.filter(guardrail => guardrail.state === 'breached')
  return (
    `${challenger} against ${champion}${ended === null ? '' : ` (${ended.how})`}: ${state}, ${reason}\n` +
    breaches.map(({ detail, name }) => `  ${name} breached: ${detail}\n`).join('') +
    (lastEvent === null ? '' : `  ${lastEvent.at} ${lastEvent.kind}: ${lastEvent.detail}\n`)
  )
}

const COLOURS = { ready: 'green', starting: 'yellow', failing: 'red', stopping: 'dim' } as const

function toState({ state }: ProcessJson, colours: boolean): string {
  return paint(colours, COLOURS[state], state)
}
