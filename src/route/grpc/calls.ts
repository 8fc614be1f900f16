import type { GrpcForm } from '../path.ts'

/**
 * What a call is for.
 * - `predict`: a prediction: a variant is chosen, and it is recorded.
 * - `stream`: many predictions.
 * - `model`: about a model: goes to the champion or to the version that its message names (`names` tells where).
 * - `other`: about a model server: goes to the champion.
 * - `closed`: loads or unloads models, which is the deployment's business.
 * - `own`: how the gateway is.
 */
export type CallUse =
  | { readonly kind: 'predict'; readonly form: GrpcForm }
  | { readonly kind: 'stream' }
  | { readonly kind: 'model'; readonly names: 'tfs' | 'v2' }
  | { readonly kind: 'other' | 'closed' }
  | { readonly kind: 'own'; readonly call: OwnCall }

/** A call that the gateway answers itself. */
export type OwnCall = 'health-check' | 'health-list' | 'health-watch' | 'live' | 'ready'

const TFS = '/tensorflow.serving.PredictionService'
const TFS_MODELS = '/tensorflow.serving.ModelService'
const V2 = '/inference.GRPCInferenceService'
const HEALTH = '/grpc.health.v1.Health'

/** The path of V2's predictions. */
export const INFER_PATH = `${V2}/ModelInfer`
/** The path of streams of them. */
export const INFER_STREAM_PATH = `${V2}/ModelStreamInfer`

const CALLS: ReadonlyMap<string, CallUse> = new Map<string, CallUse>([
  [`${TFS}/Predict`, { kind: 'predict', form: 'tfs-predict' }],
  [`${TFS}/Classify`, { kind: 'predict', form: 'tfs-classify' }],
  [`${TFS}/Regress`, { kind: 'predict', form: 'tfs-regress' }],
  [`${TFS}/MultiInference`, { kind: 'predict', form: 'tfs-multi' }],
  [`${TFS}/GetModelMetadata`, { kind: 'model', names: 'tfs' }],
  [`${TFS_MODELS}/GetModelStatus`, { kind: 'model', names: 'tfs' }],
  [`${TFS_MODELS}/HandleReloadConfigRequest`, { kind: 'closed' }],
  [INFER_PATH, { kind: 'predict', form: 'v2-infer' }],
  [INFER_STREAM_PATH, { kind: 'stream' }],
  [`${V2}/ModelReady`, { kind: 'model', names: 'v2' }],
  [`${V2}/ModelMetadata`, { kind: 'model', names: 'v2' }],
  [`${V2}/ModelStatistics`, { kind: 'model', names: 'v2' }],
  [`${V2}/ServerMetadata`, { kind: 'other' }],
  [`${V2}/RepositoryIndex`, { kind: 'other' }],
  [`${V2}/RepositoryModelLoad`, { kind: 'closed' }],
  [`${V2}/RepositoryModelUnload`, { kind: 'closed' }],
  [`${V2}/ServerLive`, { kind: 'own', call: 'live' }],
  [`${V2}/ServerReady`, { kind: 'own', call: 'ready' }],
  [`${HEALTH}/Check`, { kind: 'own', call: 'health-check' }],
  [`${HEALTH}/List`, { kind: 'own', call: 'health-list' }],
  [`${HEALTH}/Watch`, { kind: 'own', call: 'health-watch' }],
])

/** Tells what a call is for by its path, `/package.Service/Method`; undefined where nobody serves it. */
export function classifyCall(path: string): CallUse | undefined {
  return CALLS.get(path)
}

/** The services that have a health of their own, by their full names and by those that TensorFlow Serving gives them. */
export const HEALTH_SERVICES: ReadonlySet<string> = new Set([
  '',
  TFS.slice(1),
  TFS_MODELS.slice(1),
  V2.slice(1),
  HEALTH.slice(1),
  'PredictionService',
  'ModelService',
])
