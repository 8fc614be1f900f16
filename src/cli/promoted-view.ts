import type { PromoteResponseJson } from '../control/index.ts'

/** Who answers now, and who stands by. */
export function toPromotedLines({ champion, epoch, previous, version }: PromoteResponseJson): string {
  return `${champion} (version ${version}) is the champion; ${previous} stands by; epoch ${epoch}\n`
}
