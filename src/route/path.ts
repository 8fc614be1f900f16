/** The protocol that words the answer of a path. */
export type Protocol = 'v1' | 'v2'

/**
 * What a request is for.
 * - `own`: answered by the gateway itself.
 * - `predict`: a prediction of the deployment's model: a variant is chosen, and it is recorded.
 * - `model`: anything else about the deployment's model; goes to the champion or to the version in the path.
 * - `other`: any other path of the model servers; goes to the champion.
 */
export type PathUse =
  | { readonly kind: 'own'; readonly path: OwnPath }
  | {
      readonly kind: 'predict' | 'model'
      readonly protocol: Protocol
      readonly version: string | undefined
      /** The path names a label (TensorFlow Serving): which version that is, only the champion's server knows. */
      readonly labelled: boolean
    }
  | { readonly kind: 'other' }

const OWN_PATHS = ['/livez', '/readyz', '/healthz', '/metrics', '/truth'] as const
/** A path that the gateway answers itself. */
export type OwnPath = (typeof OWN_PATHS)[number]

// TensorFlow Serving matches without regard to case (http_rest_api_util.cc); the V2 paths are as in the OpenAPI file.
const V1 = /^\/v1\/models\/([^/:]+)(?:\/versions\/(\d+)|\/labels\/([^/:]+))?(:[a-z]+|\/metadata)?$/i
const V2 = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(\/.+)?$/

/** The gateway's own path that this is, or undefined. */
export function toOwnPath(path: string): OwnPath | undefined {
  return OWN_PATHS.find(item => item === path)
}

/** Tells what a request is for, given the deployment's (and so the model's) name. */
export function classifyPath(method: string, path: string, deployment: string): PathUse {
  const own = toOwnPath(path)
  if (own !== undefined) return { kind: 'own', path: own }
  const v1 = V1.exec(path)
  if (v1 !== null && toModelName(v1[1]) === deployment) {
    const predicts = method === 'POST' && v1[4]?.toLowerCase() === ':predict'
    return toUse(predicts, 'v1', v1[2], v1[3] !== undefined)
  }
  const v2 = V2.exec(path)
  if (v2 !== null && toModelName(v2[1]) === deployment)
    return toUse(method === 'POST' && v2[3] === '/infer', 'v2', v2[2], false)
  return { kind: 'other' }
}

/**
 * Whether a request may be sent twice: what HTTP calls idempotent (RFC 9110, section 9.2.2), and the calls of the
 * inference protocols, which are POST but change nothing.
 */
export function isRepeatable(method: string, path: string): boolean {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return true
  return method === 'POST' && (/:(predict|classify|regress)$/i.test(path) || /(\/infer|^\/invocations)$/.test(path))
}

function toUse(predicts: boolean, protocol: Protocol, version: string | undefined, labelled: boolean): PathUse {
  return { kind: predicts ? 'predict' : 'model', protocol, version, labelled }
}

function toModelName(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text)
  } catch {
    return undefined
  }
}
