import { type ErrorDetail, RegattaError } from '../../core/errors.ts'

/** Why something cannot be done on a cluster. */
export type KubeErrorCode =
  | 'KUBE_NAME'
  | 'KUBE_REPOSITORY'
  | 'KUBE_OVERLAY'
  | 'KUBE_CONFIG'
  | 'KUBE_CONTEXT'
  | 'KUBE_UNREACHABLE'
  | 'KUBE_CREDENTIALS'
  | 'KUBE_FORBIDDEN'
  | 'KUBE_NAMESPACE'
  | 'KUBE_QUOTA'
  | 'KUBE_CONFLICT'
  | 'KUBE_CHANGED'
  | 'KUBE_FOREIGN'
  | 'KUBE_VERSION'
  | 'KUBE_REFUSED'
  | 'KUBE_ANSWER'
  | 'KUBE_NOT_DEPLOYED'
  | 'KUBE_NOT_READY'

/** Makes the error of a cluster. */
export function toKubeError(code: KubeErrorCode, what: string, more: ErrorDetail = {}): RegattaError {
  return new RegattaError(code, what, more)
}
