import type { ChangeJson } from '../control/index.ts'
import { toTable } from './terminal.ts'

/** The changes of a deployment as a table. */
export function toHistoryLines(changes: readonly ChangeJson[]): string {
  if (changes.length === 0) return 'nothing was ever deployed; try: regatta deploy\n'
  const rows = changes.map(({ at, by, epoch, kind, reason, variants }) => [
    String(epoch),
    at,
    kind,
    by,
    variants.map(toVariantText).join(', ') || 'nothing',
    reason,
  ])
  return toTable(['EPOCH', 'WHEN', 'WHAT', 'WHO', 'RUNS FROM THEN ON', 'WHY'], rows)
}

function toVariantText({ name, role, version, weight }: ChangeJson['variants'][number]): string {
  const share = role === 'split' ? ` ${Number((weight * 100).toFixed(2))} %` : ''
  return `${name} v${version} ${role}${share}`
}
