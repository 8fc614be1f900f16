/** How requests are run together. */
export interface BatchingOptions {
  /** Rows of one run, at most; 1 runs every request alone. @default 64 */
  readonly maxRows?: number
  /** How long a run waits for more requests, ms; 0 takes what is there whenever the model is free. @default 0 */
  readonly maxDelayMs?: number
}
