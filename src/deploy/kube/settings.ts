import type { Project } from '../../config/index.ts'
import { toKubeError } from './errors.ts'

/** What the objects of a deployment are made from. */
export interface KubeSettings {
  readonly project: Project
  readonly namespace: string
}

/** What the processes beside the model servers are made from. */
export interface BaseSettings extends KubeSettings {
  /** The text of regatta.yaml, and the variables that were laid over it. */
  readonly projectText: string
  readonly variables: Readonly<Record<string, string>>
  /** Of regatta: names the image that gateway and control run. */
  readonly version: string
}

/** Names of a deployment's objects. Variants have their own. */
export interface Names {
  readonly gateway: string
  readonly control: string
  readonly token: string
  readonly routes: string
  readonly project: string
  readonly data: string
}

/** Names of Services and values of labels. Source: RFC 1035, section 2.3.4. */
const MAX_NAME = 63

/** The names of the objects of a deployment. @throws KUBE_NAME where one is too long */
export function toNames(name: string): Names {
  const names = {
    gateway: `${name}-gateway`,
    control: `${name}-control`,
    token: `${name}-token`,
    routes: `${name}-routes`,
    project: `${name}-project`,
    data: `${name}-data`,
  }
  for (const one of Object.values(names)) checkName(one, 'name')
  return names
}

/** The name of a variant's objects. @throws KUBE_NAME where it is too long */
export function toVariantName(name: string, variant: { readonly name: string; readonly id: number }): string {
  return checkName(`${name}-${variant.name}-${variant.id}`, `name, or variant "${variant.name}"`)
}

function checkName(name: string, key: string): string {
  if (name.length <= MAX_NAME) return name
  throw toKubeError(
    'KUBE_NAME',
    `Cannot name an object "${name}": Kubernetes takes at most ${MAX_NAME} characters, found ${name.length}`,
    { where: `regatta.yaml, key ${key}`, fix: `Make it shorter by ${name.length - MAX_NAME} characters` },
  )
}

/** The reference of a version's image. @throws KUBE_REPOSITORY */
export function toImage(project: Project, digest: string): string {
  return `${requireRepository(project)}@${digest}`
}

/** The reference of the image without a model, which starts Node. @throws KUBE_REPOSITORY */
export function toRuntimeImage({ project, version }: Pick<BaseSettings, 'project' | 'version'>): string {
  return `${requireRepository(project)}:regatta-${version}`
}

function requireRepository({ image }: Project): string {
  if (image.repository !== undefined) return image.repository
  throw toKubeError('KUBE_REPOSITORY', 'Cannot deploy to a cluster without a repository that it pulls images from', {
    where: 'regatta.yaml, key image.repository',
    fix: 'Set image.repository, then regatta push',
  })
}
