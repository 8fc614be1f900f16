import { pickVariables, readProjectText } from '../config/index.ts'
import { parseVariantName } from '../core/brands.ts'
import { toAllObjects, toDeployerAccess, toNames, toYaml } from '../deploy/index.ts'
import { VERSION } from './installation.ts'
import type { Call } from './verb.ts'
import { resolveVersion } from './versions.node.ts'
import type { Workplace } from './workplace.node.ts'

/** The objects of a first deployment of a version, as YAML. @throws VERSION_UNKNOWN, KUBE_… */
export async function renderObjects(call: Call, workplace: Workplace, text: string | undefined): Promise<string> {
  const { project } = workplace
  const { version, digest } = await resolveVersion(workplace, text)
  const settings = {
    project,
    namespace: toNamespace(workplace),
    projectText: await readProjectText(project.folder),
    variables: await pickVariables(call.env),
    version: VERSION,
  }
  const name = project.race.champion ?? parseVariantName('a')
  const objects = toAllObjects(settings, { id: 1, name, version, digest, replicas: project.serve.replicas })
  const { token } = toNames(project.name)
  return toYaml(
    objects,
    `${project.name}, version ${version}. Make the Secret ${token} with the keys admin and gateway first; ` +
      'regatta deploy does it by itself.',
  )
}

/** Account, role and binding for whoever deploys, as YAML. */
export function renderAccess(workplace: Workplace): string {
  const namespace = toNamespace(workplace)
  return toYaml(
    toDeployerAccess(workplace.project.name, namespace),
    `The rights that deploying ${workplace.project.name} needs, in namespace ${namespace} alone.`,
  )
}

function toNamespace({ project }: Workplace): string {
  return project.targets.kubernetes.namespace ?? 'default'
}
