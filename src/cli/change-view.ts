import type { Change } from '../deploy/index.ts'

/** What a deployment would change, a line per object and below it its fields. */
export function toChangeLines(changes: readonly Change[]): string {
  const lines = changes.flatMap(({ change, object, fields }) => [
    `${change.padEnd(6)} ${object}`,
    ...fields.map(field => `         ${field}`),
  ])
  return `${lines.join('\n')}\n`
}
