import { setTimeout as sleep } from 'node:timers/promises'
import { RegattaError } from '../../core/errors.ts'

/** Tries before it is given up: about a minute. */
const MAX_TRIES = 12
const FIRST_MS = 200
const MAX_MS = 10_000

/** Does something again, after longer and longer pauses, while it fails with what may pass. */
export async function withRetries<result>(
  act: () => Promise<result>,
  onFailure: (error: RegattaError, pauseMs: number) => Promise<void>,
  signal: AbortSignal,
): Promise<result> {
  for (let tries = 1; ; tries++) {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof RegattaError && error.retryable) || tries >= MAX_TRIES || signal.aborted) throw error
      const pauseMs = Math.min(MAX_MS, FIRST_MS * 2 ** (tries - 1)) * (0.5 + Math.random() / 2)
      await onFailure(error, pauseMs)
      await sleep(pauseMs, undefined, { signal })
    }
  }
}
