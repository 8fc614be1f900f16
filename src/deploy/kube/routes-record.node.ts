import { RegattaError, toErrorText } from '../../core/errors.ts'
import { parseRoutes, type Routes } from '../../core/wire/routes.ts'
import { readObject } from './apply.node.ts'
import type { Kube } from './client.node.ts'
import { textAt } from './object.ts'
import { toNames } from './settings.ts'

/** The routes on record; undefined where nothing is deployed. @throws ROUTES_RECORD, KUBE_… */
export async function readRoutesRecord(kube: Kube, deployment: string): Promise<Routes | undefined> {
  const { routes } = toNames(deployment)
  const text = textAt(await readObject(kube, 'ConfigMap', routes), 'data', 'routes.json')
  if (text === undefined) return undefined
  try {
    return parseRoutes(JSON.parse(text))
  } catch (cause) {
    throw new RegattaError('ROUTES_RECORD', `Cannot use the routes on record: ${toErrorText(cause)}`, {
      where: `ConfigMap ${routes}, namespace ${kube.namespace}`,
      fix: 'Delete the ConfigMap, and deploy again',
      cause,
    })
  }
}
