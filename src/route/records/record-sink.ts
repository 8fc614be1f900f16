import type { Tap } from './tap.ts'

/** Takes records in without making anybody wait. */
export interface RecordSink extends AsyncDisposable {
  /** Never waits and never throws; what does not fit is dropped and counted. */
  add(tap: Tap): void
  /** Hands over what it can within `ms`, and keeps the rest where it survives the process, if there is such a place. */
  drain(ms: number): Promise<void>
}
