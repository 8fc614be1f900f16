import type { Digest } from '../../core/brands.ts'

/** What `regatta demo --json` prints: every figure is read from the stores when the story ends. */
export interface DemoReport {
  readonly schema: 'regatta/demo/v1'
  readonly variants: readonly {
    readonly name: string
    readonly version: number
    readonly digest: Digest
    readonly params: Readonly<Record<string, string | number | boolean>>
    readonly meanLoss: number | null
    readonly predictions: number
  }[]
  /** Truths that clients reported and the database knows. */
  readonly truths: number
  readonly verdict: {
    /** `promote-B`, `keep-A`, `equivalent`, or why none of them yet. */
    readonly state: string
    readonly estimate: number | null
    readonly lower: number | null
    readonly upper: number | null
    readonly labels: number
  }
  /** The variant that was promoted; null where the verdict kept the champion. */
  readonly promoted: string | null
  /** Requests that clients sent and the database knows, and those that failed. */
  readonly requests: number
  readonly failedRequests: number
  /** The replica that was killed, with the reason that status gave. */
  readonly replicaKilled: { readonly name: string; readonly reason: string }
  /** Packing the challenger added no layer but app and model. */
  readonly modelLayerOnly: boolean
  readonly seconds: number
}
