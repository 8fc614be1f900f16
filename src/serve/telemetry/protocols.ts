/**
 * The protocols of a model server, by the names that they have in its metrics, with what TensorFlow Serving calls their
 * entry and their call there.
 */
export const PROTOCOLS = {
  tfs: { entrypoint: 'REST', api: 'predict' },
  'tfs-grpc': { entrypoint: 'GRPC', api: 'Predict' },
  v2: { entrypoint: 'REST', api: 'infer' },
  'v2-grpc': { entrypoint: 'GRPC', api: 'ModelInfer' },
  mlflow: { entrypoint: 'REST', api: 'invocations' },
  other: { entrypoint: 'REST', api: 'other' },
} as const satisfies Record<string, { readonly entrypoint: 'REST' | 'GRPC'; readonly api: string }>

/** How a request came. */
export type Protocol = keyof typeof PROTOCOLS
