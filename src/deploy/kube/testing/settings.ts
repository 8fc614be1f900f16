import { parseProject } from '../../../config/index.ts'
import { parseDigest, parseVariantName } from '../../../core/brands.ts'
import type { Routes } from '../../../core/wire/routes.ts'
import type { VariantPlan } from '../../target.ts'
import type { BaseSettings } from '../settings.ts'

/** The variant of the tests. */
export const VARIANT: VariantPlan = {
  id: 7,
  name: parseVariantName('b'),
  version: 3,
  digest: parseDigest(`sha256:${'d'.repeat(64)}`),
  replicas: 2,
}

/** The first routes to it. */
export const ROUTES: Routes = {
  schema: 'regatta/routes/v1',
  deployment: 'forecast',
  epoch: 1,
  variants: [],
  capture: {},
}

/** Settings of a project with these lines below `targets: kubernetes:` and these of its own. */
export function toSettings(kubernetes = '', lines = '', name = 'forecast'): BaseSettings {
  const text = `name: ${name}
image: { repository: registry.example.com/team/forecast }
${lines}
targets:
  kubernetes:
    namespace: team
    ${kubernetes}
`
  return {
    project: parseProject(text, { folder: '/project', env: {} }),
    namespace: 'team',
    projectText: text,
    variables: { REGATTA_SERVE_REPLICAS: '2' },
    version: '0.1.0',
  }
}
