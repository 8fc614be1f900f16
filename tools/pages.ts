import { toVerbPages } from '../src/cli/index.ts'
import { toProjectJsonSchema } from '../src/config/index.ts'
import { isObject } from '../src/core/json.ts'

/** A file below `docs/` that is made from the code. */
export interface Page {
  readonly path: string
  readonly text: string
}

/** Every generated page: one per verb, and the keys of regatta.yaml. */
export function toPages(): readonly Page[] {
  const verbs = toVerbPages().map(({ name, text }) => ({ path: `verbs/${name}.md`, text }))
  return [...verbs, { path: 'regatta-yaml.md', text: toConfigPage() }]
}

function toConfigPage(): string {
  const rows = toRows('', toProjectJsonSchema())
  return [
    '# regatta.yaml',
    '',
    'Every key, its default and its meaning. A key that is not here is an error, with the nearest one named.',
    'Editors check the file by `schema.json`.',
    '',
    '| key | default | meaning |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function toRows(prefix: string, schema: unknown): readonly string[] {
  const properties = isObject(schema) && isObject(schema['properties']) ? schema['properties'] : {}
  return Object.entries(properties).flatMap(([name, value]) => {
    const key = prefix === '' ? name : `${prefix}.${name}`
    const below = toRows(key, value)
    if (!isObject(value)) return []
    const { default: usual, description, enum: values } = value
    const choices = Array.isArray(values) && values.length > 1 ? ` (${values.join(', ')})` : ''
    const given = below.length > 0 || usual === undefined ? '' : `\`${JSON.stringify(usual)}\``
    return [`| \`${key}\` | ${given} | ${String(description ?? '')}${choices} |`, ...below]
  })
}
