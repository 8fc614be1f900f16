/** The protocol that words the answer of a path. */
export type RestProtocol = 'v1' | 'v2' | 'mlflow'

/** How a prediction is asked for and answered. */
export type Protocol = RestProtocol | GrpcForm

/** The kinds of messages of predictions over gRPC: each has its rows elsewhere. */
export type GrpcForm = 'tfs-predict' | 'tfs-classify' | 'tfs-regress' | 'tfs-multi' | 'v2-infer'

const HTTP_PROTOCOLS: ReadonlySet<string> = new Set(['v1', 'v2', 'mlflow'])

/** Whether a protocol's messages are those of gRPC. */
export function isGrpcForm(protocol: Protocol): protocol is GrpcForm {
  return !HTTP_PROTOCOLS.has(protocol)
}

/** What a request names in place of leaving the choice to chance: a version, or a label of TensorFlow Serving. */
export interface Pin {
  readonly kind: 'version' | 'label'
  readonly text: string
}

/**
 * What a request is for.
 * - `predict`: a prediction of the deployment's model: a variant is chosen, and it is recorded.
 * - `model`: anything else about the deployment's model; goes to the champion or to what the path names.
 * - `closed`: loads or unloads a model, which is the deployment's business.
 * - `other`: any other path of the model servers; goes to the champion.
 */
export type PathUse = ModelUse | { readonly kind: 'closed' | 'other' }

/** A request that is about the deployment's model. */
export interface ModelUse {
  readonly kind: 'predict' | 'model'
  readonly protocol: RestProtocol
  readonly pin: Pin | undefined
}

// TensorFlow Serving matches without regard to case (http_rest_api_util.cc); the V2 paths are as in the OpenAPI file.
const V1 = /^\/v1\/models\/([^/:]+)(?:\/versions\/(\d+)|\/labels\/([^/:]+))?(:[a-z]+|\/metadata)?$/i
const V1_CALL = /^:(predict|classify|regress)$/i
const V1_LABEL = /^(\/v1\/models\/[^/:]+)\/labels\/[^/:?]+/i
const V2 = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(\/.+)?$/
const LOAD = /^\/v2\/repository\/models\/[^/]+\/(load|unload)$/

const INVOCATIONS: ModelUse = { kind: 'predict', protocol: 'mlflow', pin: undefined }

/** Tells what a request is for, given the deployment's (and so the model's) name. */
export function classifyPath(method: string, path: string, deployment: string): PathUse {
  const v1 = V1.exec(path)
  if (v1 !== null && decodeSegment(v1[1]) === deployment) {
    const predicts = method === 'POST' && V1_CALL.test(v1[4] ?? '')
    return { kind: predicts ? 'predict' : 'model', protocol: 'v1', pin: toPin(v1[2], v1[3]) }
  }
  const v2 = V2.exec(path)
  if (v2 !== null && decodeSegment(v2[1]) === deployment) {
    const predicts = method === 'POST' && v2[3] === '/infer'
    return { kind: predicts ? 'predict' : 'model', protocol: 'v2', pin: toPin(v2[2], undefined) }
  }
  if (path === '/invocations' && method === 'POST') return INVOCATIONS
  return { kind: LOAD.test(path) ? 'closed' : 'other' }
}

/**
 * Whether a request may be sent twice: what HTTP calls idempotent (RFC 9110, section 9.2.2), and the calls of the
 * inference protocols, which are POST but change nothing.
 */
export function isRepeatable(method: string, path: string): boolean {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return true
  return method === 'POST' && (/:(predict|classify|regress)$/i.test(path) || /(\/infer|^\/invocations)$/.test(path))
}

/** The target for a replica, which knows no labels: its version stands in the label's place. */
export function toVersionTarget(target: string, version: number): string {
  return target.replace(V1_LABEL, `$1/versions/${version}`)
}

function toPin(version: string | undefined, label: string | undefined): Pin | undefined {
  if (version !== undefined) return { kind: 'version', text: decodeSegment(version) ?? version }
  return label === undefined ? undefined : { kind: 'label', text: decodeSegment(label) ?? label }
}

function decodeSegment(text: string | undefined): string | undefined {
  if (text === undefined || !text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
