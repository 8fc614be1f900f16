import type { PredictionRecord } from '../../core/wire/records.ts'
import { toBucket, toDurationMs } from '../../store/index.ts'

/** What the records of the last minute tell of one replica. */
export interface ReplicaLoad {
  readonly replica: string
  readonly variant: number
  readonly requests: number
  readonly failed: number
  /** Of fewer than 1000 requests, how long the tenth slowest took: less could be chance. */
  readonly p99Ms: number
}

const SLICE_MS = 10_000
const SLICES = 6
const MAX_REPLICAS = 2000

interface Slice {
  readonly number: number
  requests: number
  failed: number
  /** Counts by bucket of latencies. */
  readonly latencies: Map<number, number>
}

interface Kept {
  readonly variant: number
  slices: Slice[]
}

/** Counts requests by replica, over the last minute. */
export class ReplicaLoads {
  readonly #kept = new Map<string, Kept>()

  /** Counts a record. A record that no replica answered is nobody's. */
  note({ replica, variant, status, latencyUs }: PredictionRecord, now: number): void {
    if (replica === '') return
    const kept = this.#kept.get(replica) ?? this.#enter(replica, variant)
    const number = Math.floor(now / SLICE_MS)
    let slice = kept.slices.at(-1)
    if (slice?.number !== number) {
      slice = { number, requests: 0, failed: 0, latencies: new Map() }
      kept.slices = [...kept.slices.slice(1 - SLICES), slice]
    }
    const bucket = toBucket(latencyUs / 1000)
    slice.requests += 1
    slice.failed += status === 0 || status >= 500 ? 1 : 0
    slice.latencies.set(bucket, (slice.latencies.get(bucket) ?? 0) + 1)
  }

  /** What is known of each replica that was asked in the last minute. */
  read(now: number): readonly ReplicaLoad[] {
    const oldest = Math.floor(now / SLICE_MS) - SLICES
    return [...this.#kept].flatMap(([replica, { variant, slices }]) => {
      const recent = slices.filter(({ number }) => number > oldest)
      if (recent.length === 0) return []
      const sum = (key: 'requests' | 'failed'): number => recent.reduce((total, slice) => total + slice[key], 0)
      const requests = sum('requests')
      return [{ replica, variant, requests, failed: sum('failed'), p99Ms: toP99(recent, requests) }]
    })
  }

  #enter(replica: string, variant: number): Kept {
    const oldest = this.#kept.keys().next()
    if (this.#kept.size >= MAX_REPLICAS && !oldest.done) this.#kept.delete(oldest.value)
    const kept = { variant, slices: [] }
    this.#kept.set(replica, kept)
    return kept
  }
}

const MIN_SLOW = 10

function toP99(slices: readonly Slice[], requests: number): number {
  const buckets = slices.flatMap(({ latencies }) => [...latencies].map(([bucket, count]) => ({ bucket, count })))
  return toDurationMs(buckets, Math.min(0.99, Math.max(0, 1 - MIN_SLOW / requests))) ?? 0
}
