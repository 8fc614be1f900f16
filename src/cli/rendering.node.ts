import { pickVariables, readProjectText } from '../config/index.ts'
import { toFirstRoutes, toFirstVariant } from '../control/index.ts'
import { openKube, toAllObjects, toDeployerAccess, toNames, toYaml } from '../deploy/index.ts'
import { VERSION } from './installation.ts'
import type { Call } from './verb.ts'
import { resolveVersion } from './versions.node.ts'
import type { Workplace } from './workplace.node.ts'

/** The objects of a first deployment of a version, as YAML. @throws VERSION_UNKNOWN, KUBE_… */
export async function renderObjects(call: Call, workplace: Workplace, text: string | undefined): Promise<string> {
  const { project } = workplace
  const champion = toFirstVariant(project, await resolveVersion(workplace, text))
  const settings = {
    project,
    namespace: await findNamespace(call, workplace),
    projectText: await readProjectText(project.folder),
    variables: await pickVariables(call.env),
    version: VERSION,
  }
  const objects = toAllObjects(settings, champion, toFirstRoutes(project, champion))
  const { routes, token } = toNames(project.name)
  return toYaml(
    objects,
    `${project.name}, version ${champion.version}. Make the Secret ${token} with the keys admin, gateway and predict first; ` +
      `regatta deploy does it by itself. Apply the ConfigMap ${routes} once: control writes it from then on.`,
  )
}

/** Account, role and binding for whoever deploys, as YAML. */
export async function renderAccess(call: Call, workplace: Workplace): Promise<string> {
  const namespace = await findNamespace(call, workplace)
  return toYaml(
    toDeployerAccess(workplace.project.name, namespace),
    `The rights that deploying ${workplace.project.name} needs, in namespace ${namespace} alone.`,
  )
}

/** The project's, else the one that deploying would take; without a kubeconfig `default`. */
async function findNamespace(call: Call, { project }: Workplace): Promise<string> {
  const { context, namespace } = project.targets.kubernetes
  if (namespace !== undefined) return namespace
  const found = await openKube({ context, namespace }).then(
    kube => kube.namespace,
    () => 'default',
  )
  call.err(`namespace ${found}: regatta.yaml names none (targets.kubernetes.namespace)\n`)
  return found
}
