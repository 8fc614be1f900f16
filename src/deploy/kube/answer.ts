import type { RegattaError } from '../../core/errors.ts'
import { toKubeError } from './errors.ts'
import { listAt, textAt } from './object.ts'

/** A request that a cluster refused. */
export interface Refused {
  readonly method: string
  readonly path: string
  readonly status: number
  /** Its body: a `Status` object, or whatever stood between. */
  readonly body: unknown
}

const MAX_WORDS = 2000

/** The error of a request that a cluster refused, with the cluster's own words and what to do. */
export function toRefusal({ method, path, status, body }: Refused): RegattaError {
  const words = (textAt(body, 'message') ?? (typeof body === 'string' ? body : '')).slice(0, MAX_WORDS)
  const where = `${method} ${path}`
  if (status === 401) {
    return toKubeError('KUBE_CREDENTIALS', 'Cannot ask the cluster: it does not accept the credentials', {
      where,
      fix: 'Log in to the cluster again: the credentials of this context have expired or are for another cluster',
    })
  }
  if (/exceeded quota/.test(words)) {
    return toKubeError('KUBE_QUOTA', `Cannot make this object: ${words}`, {
      where,
      fix: 'Ask for less (serve.replicas, serve.resources), or have the quota of the namespace raised',
    })
  }
  if (status === 404 && /^namespaces ".*" not found/.test(words)) return toNoNamespace(words, where)
  if (status === 403 && /unable to create new content in namespace/.test(words)) return toNoNamespace(words, where)
  if (status === 403) {
    return toKubeError('KUBE_FORBIDDEN', `Cannot do this on the cluster: ${words}`, {
      where,
      fix: 'Have someone who may apply what "regatta render --rbac" prints, and see that the namespace is the right one',
    })
  }
  if (status === 409 && listAt(body, 'details', 'causes').length > 0) return toConflict(body, where)
  if (status === 409) {
    return toKubeError('KUBE_CHANGED', `Somebody else was quicker: ${words}`, {
      where,
      fix: 'Try again',
      retryable: true,
    })
  }
  return toKubeError('KUBE_REFUSED', `The cluster answered ${status}: ${words}`, {
    where,
    fix: 'Its words name the field; look at regatta.yaml, targets.kubernetes, and at its overlay first',
    retryable: status === 429 || status >= 500,
  })
}

function toNoNamespace(words: string, where: string): RegattaError {
  return toKubeError('KUBE_NAMESPACE', `Cannot use this namespace: ${words}`, {
    where,
    fix: 'Make it (kubectl create namespace NAME), or set targets.kubernetes.namespace',
  })
}

/** Says who owns which field. Source: Kubernetes, "Server-Side Apply", section "Conflicts". */
function toConflict(body: unknown, where: string): RegattaError {
  const fields = listAt(body, 'details', 'causes').map(cause => {
    const owner = /conflict with "([^"]+)"/.exec(textAt(cause, 'message') ?? '')?.[1] ?? 'another'
    return `${textAt(cause, 'field') ?? 'a field'} (set by ${owner})`
  })
  return toKubeError('KUBE_CONFLICT', `Cannot set ${fields.join(', ')}: somebody else has set it`, {
    where,
    fix: 'Leave the field to them by an overlay, let them give it up, or take it over with --force-conflicts',
  })
}
