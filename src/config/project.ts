import type { VariantName } from '../core/brands.ts'
import type { JsonObject } from '../core/json.ts'

/** A whole regatta.yaml with its defaults filled in. Paths are as written, relative to `folder`. */
export interface Project {
  /** Absolute path of the folder that holds regatta.yaml. */
  readonly folder: string
  /** DNS label that names the model, the deployment and every object. */
  readonly name: string
  readonly train: TrainConfig | undefined
  readonly image: ImageConfig
  readonly serve: ServeConfig
  readonly race: RaceConfig
  readonly targets: { readonly local: LocalTargetConfig; readonly kubernetes: KubernetesTargetConfig }
}

/** A parameter of training, as the command line and the environment give it to the command. */
export type ParamValue = string | number | boolean

/** How the model is trained. */
export interface TrainConfig {
  /** Any command line; run by `/bin/sh -c` in the project's folder. */
  readonly run: string
  readonly params: Readonly<Record<string, ParamValue>>
  /** Files whose digests go into the run record. @default [] */
  readonly data: readonly string[]
  /** Folder that the command leaves its model in. @default 'model' */
  readonly output: string
}

/** What a run becomes. */
export interface ImageConfig {
  /** Repository to push to; undefined until one is set. */
  readonly repository: string | undefined
  /** What answers predictions in the image. @default 'onnx' */
  readonly server: ModelServer
  /** `host` (the Node of this machine), an image reference, or `oci:FOLDER[:NAME]`. @default 'host' */
  readonly base: string
  /** What the image runs on; empty: what this machine is. @default [] */
  readonly platforms: readonly ImagePlatform[]
  /** Folder in the image under which VERSION/ lies. @default /models/NAME */
  readonly modelPath: string
  /** `stored`: gzip that compresses nothing; `none`: the bare archive. @default 'stored' */
  readonly modelCompression: 'stored' | 'none'
  /** Whether ONNX's own operators take the place of loops that do the same. @default 'rewrite' */
  readonly loops: 'rewrite' | 'keep'
  /** Paths in the image and the files or folders of the project that go there, each a layer of its own. @default {} */
  readonly files: Readonly<Record<string, string>>
  /** What a custom server is started with; empty for the others. @default [] */
  readonly command: readonly string[]
}

/** `onnx` is regatta's own; the others come with the base. */
export type ModelServer = 'onnx' | 'tensorflow-serving' | 'triton' | 'custom'

/** Operating system and processor, in Go's words. */
export type ImagePlatform = 'linux/amd64' | 'linux/arm64'

/** How variants are served. */
export interface ServeConfig {
  /** Replicas per variant; with `autoscale` its `min`. @default 1 */
  readonly replicas: number
  /** `token`: predictions need a token of scope `predict`. @default 'open' */
  readonly access: 'open' | 'token'
  /** Origins of pages whose scripts may ask; `*` is any. @default [] */
  readonly cors: readonly string[]
  readonly alerts: AlertsConfig
  readonly resources: ResourcesConfig
  /** Undefined: the number of replicas stays as it is. */
  readonly autoscale: AutoscaleConfig | undefined
}

/** Quantities as Kubernetes writes them. */
export interface ResourcesConfig {
  /** @default 250m, 256Mi */
  readonly requests: { readonly cpu: string; readonly memory: string }
  /** @default no limit of CPU, 512Mi */
  readonly limits: { readonly cpu?: string | undefined; readonly memory: string }
}

/** Replicas that follow the load; Kubernetes only. */
export interface AutoscaleConfig {
  readonly min: number
  readonly max: number
  /** CPU in use as a fraction of what is requested. @default 0.7 */
  readonly cpu: number
}

/** Who is told of what happens in a race. */
export interface AlertsConfig {
  /** Environment variable with the URL of a webhook; undefined: nobody is told. */
  readonly webhook: string | undefined
  /** @default 'slack' */
  readonly format: WebhookFormat
}

/** Form of a webhook's messages. */
export type WebhookFormat = 'slack' | 'cloudevents'

/** What is compared and how; fixed when a race starts. */
export interface RaceConfig {
  /** @default 'regression' */
  readonly task: 'forecast' | 'regression' | 'classification' | 'value'
  /** JMESPath into one row of the output; undefined: the row itself. */
  readonly prediction: string | undefined
  readonly truth: TruthConfig
  /** Undefined: the first variant deployed. */
  readonly champion: VariantName | undefined
  /** @default squared (forecast, regression), log (classification), value (value) */
  readonly loss: Loss
  /** @default 'shadow', for task value 'split' */
  readonly mode: 'shadow' | 'split'
  /** @default 0.05 */
  readonly alpha: number
  /** Labels at which the sequence is tightest. @default 1000 */
  readonly tOpt: number
  /** Smallest improvement of the mean loss worth promoting. @default 0 */
  readonly minGain: number
  /** Half-width of "equivalent" in units of the loss; 0: never. @default 0 */
  readonly margin: number
  /** Rows of one season (task: forecast). @default 1 */
  readonly season: number
  /** Exact bounds instead of asymptotic ones; of losses with a known range or a cap. @default false */
  readonly strict: boolean
  /** Quantile of the champion's first 500 losses that all losses are capped at; undefined: no cap. */
  readonly cap: number | undefined
  /** JMESPath into a row of the request: whom it is for; undefined: only `x-regatta-entity` says it. */
  readonly entity: string | undefined
  /** JMESPath into a row of the request: a number that foretells the loss; undefined: none. */
  readonly covariate: string | undefined
  /** Share of the requests that are recorded, 0–1; undefined: all. */
  readonly sample: number | undefined
  /** What of requests and answers is stored as it is. @default 'none' */
  readonly log: 'none' | 'outputs' | 'inputs'
  /** series, at, entity or error, or paths into logged rows (`input.…`, `output.…`), that are never stored. @default [] */
  readonly drop: readonly string[]
  /** series or entity, of truths too, or paths into logged rows, that are stored as keyed digests. @default [] */
  readonly hash: readonly string[]
  /** How long truth may take: younger predictions are not judged. @default 0 */
  readonly maturityMs: number
  /** Challengers that share `alpha` from the start of a race. @default 1 */
  readonly challengers: number
  /** Rising shares, 0–1, that a challenger in a ramp is given one after the other. @default [] */
  readonly ramp: readonly number[]
  readonly guardrails: GuardrailsConfig
  readonly budget: BudgetConfig
  /** @default 'ask' */
  readonly promote: 'ask' | 'auto'
}

/** Limits that stop a challenger; undefined: none. */
export interface GuardrailsConfig {
  /** Share of failed requests, 0–1. */
  readonly errorRate?: number | undefined
  /** Multiple of the champion's 99th percentile of latency. */
  readonly p99?: number | undefined
}

/** What a race may cost; undefined: without end. */
export interface BudgetConfig {
  readonly labels?: number | undefined
  readonly days?: number | undefined
}

/** What truths are about: one prediction, or a point of a series, whose name and time are read by JMESPath. */
export type TruthConfig =
  | { readonly by: 'prediction' }
  | { readonly by: 'series'; readonly series: string | undefined; readonly at: string | undefined }

/** How a prediction is scored against its truth. */
export type Loss =
  | { readonly kind: 'squared' | 'absolute' | 'wmape' | 'log' | 'brier' | 'zero-one' | 'value' }
  | { readonly kind: 'pinball'; readonly quantile: number }

/** PEM files; with `clientCa`, clients need a certificate that it signed. */
export interface TlsFiles {
  readonly cert: string
  readonly key: string
  readonly clientCa: string | undefined
}

/** Where the processes on this machine listen. */
export interface LocalTargetConfig {
  /** @default '127.0.0.1' */
  readonly host: string
  /** Port of the gateway. 0 takes a free one. @default 8501 */
  readonly httpPort: number
  readonly grpcPort: number
  /** Port of control. 0 takes a free one. @default 8400 */
  readonly controlPort: number
  /** PEM files for both ports of the gateway; undefined: it does not speak TLS. */
  readonly tls: TlsFiles | undefined
}

/** Where in a cluster the deployment lives, and how it is reached. */
export interface KubernetesTargetConfig {
  /** Context of the kubeconfig; undefined: its current one. */
  readonly context: string | undefined
  /** Undefined: the context's. */
  readonly namespace: string | undefined
  /** Type of the gateway's Service. @default 'LoadBalancer' */
  readonly expose: 'LoadBalancer' | 'NodePort' | 'ClusterIP'
  /** @default 2 */
  readonly gateway: { readonly replicas: number }
  /** One leads, the others wait. @default 2 with a database, else 1 */
  readonly control: { readonly replicas: number }
  /** Where the address of control's PostgreSQL is; undefined: control has a file, as `storage` says. */
  readonly database: { readonly secret: string; readonly key: string } | undefined
  readonly storage: StorageConfig
  readonly priorityClass: string | undefined
  readonly nodeSelector: Readonly<Record<string, string>>
  readonly tolerations: readonly JsonObject[]
  readonly topologySpread: readonly JsonObject[]
  /** Names of Secrets. */
  readonly imagePullSecrets: readonly string[]
  /** Of the model servers. */
  readonly env: Readonly<Record<string, string>>
  readonly overlay: readonly OverlayConfig[]
}

/** Where control keeps its database. */
export interface StorageConfig {
  /** @default '1Gi' */
  readonly size: string
  /** Undefined: the cluster's default. */
  readonly class: string | undefined
  /** Lost with the pod. @default false */
  readonly ephemeral: boolean
}

/** A patch laid over the objects of a kind. */
export interface OverlayConfig {
  readonly kind: string
  /** Undefined: every part. */
  readonly part: 'server' | 'gateway' | 'control' | undefined
  readonly patch: JsonObject
}
