import { stringify } from 'yaml'
import type { KubeObject } from './object.ts'

/** Objects as a YAML file for kubectl, with a comment on top. */
export function toYaml(objects: readonly KubeObject[], comment: string): string {
  const head = comment
    .split('\n')
    .map(line => `# ${line}\n`)
    .join('')
  return (
    head + objects.map(object => `---\n${stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })}`).join('')
  )
}
