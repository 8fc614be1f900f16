import { UsageError } from '../../core/errors.ts'

/** How requests are run together. */
export interface BatchingOptions {
  /** Rows of one run, at most; 1 runs every request alone. @default 64 */
  readonly maxRows?: number
  /** How long a run waits for more requests, ms; 0 takes what is there whenever the model is free. @default 0 */
  readonly maxDelayMs?: number
}

/** Fills in the defaults. @throws BATCHING (a `UsageError`) */
export function toBatching(options: BatchingOptions = {}): Required<BatchingOptions> {
  const { maxRows = 64, maxDelayMs = 0 } = options
  if (!Number.isSafeInteger(maxRows) || maxRows < 1 || maxRows > 65_536)
    throw toProblem('maxRows', maxRows, 'a whole number from 1 to 65536')
  if (!(maxDelayMs >= 0 && maxDelayMs <= 60_000)) throw toProblem('maxDelayMs', maxDelayMs, '0 to 60000 milliseconds')
  return { maxRows, maxDelayMs }
}

function toProblem(name: string, value: number, wanted: string): UsageError {
  return new UsageError('BATCHING', `Cannot use ${value} as batching.${name}: expected ${wanted}`)
}
