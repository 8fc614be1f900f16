import type { Component, ComponentName } from './components.ts'

/** The components that the suite uses. */
export const PARTS = [
  'docker-registry',
  'skopeo',
  'umoci',
  'containerd',
  'ctr',
  'runc',
  'validator',
  'registry',
] as const satisfies readonly ComponentName[]

/** One of them. */
export type PartName = (typeof PARTS)[number]

/** What `tools/test-images.ts` found. */
const found: Readonly<Record<string, Component>> = JSON.parse(process.env['REGATTA_PARTS'] ?? '{}')

/** The path of a part's program. */
export function toPath(name: PartName): string {
  const part = found[name]
  if (part !== undefined && 'path' in part) return part.path
  throw new Error(`Cannot use ${name}: run tools/test-images.ts, which installs it`)
}

/** The options of a test that uses these parts: it is skipped where one is missing. */
export function needs(...names: readonly PartName[]): { readonly skip: string | false } {
  const [problem] = names.flatMap(name => {
    const part = found[name]
    if (part === undefined) return [`${name} was not looked for: run tools/test-images.ts`]
    return 'problem' in part ? [`${name}: ${part.problem}`] : []
  })
  return { skip: problem ?? false }
}

/** The same, for tests that need to be root too. */
export function needsRoot(...names: readonly PartName[]): { readonly skip: string | false } {
  return process.getuid?.() === 0
    ? needs(...names)
    : { skip: 'needs root, to run containers: start the suite with sudo' }
}
