import { setTimeout as sleep } from 'node:timers/promises'
import { RegattaError } from '../../core/errors.ts'
import { RegistryError } from './errors.ts'

/** How often and how long to try. */
export interface RetryPolicy {
  /** @default 5 */
  readonly attempts: number
  /** Wait after the first failure, ms; it doubles with each. @default 250 */
  readonly firstMs: number
  /** Longest wait that a registry may ask for, ms. @default 60_000 */
  readonly maxAskedMs: number
}

/** What registries get where nobody says otherwise. */
export const RETRY: RetryPolicy = { attempts: 5, firstMs: 250, maxAskedMs: 60_000 }

const MAX_MS = 10_000

/**
 * Waits before another attempt, doubled with every failure and scattered, so that many clients do not come back at
 * once; at least as long as the registry asked. `failures` counts from 1. Throws the error where it is time to give up.
 */
export async function waitToRetry(
  policy: RetryPolicy,
  failures: number,
  error: unknown,
  signal: AbortSignal,
): Promise<void> {
  if (!(error instanceof RegattaError) || !error.retryable || failures >= policy.attempts) throw error
  const askedMs = (error instanceof RegistryError ? error.askedMs : undefined) ?? 0
  if (askedMs > policy.maxAskedMs) throw error
  const ownMs = Math.min(MAX_MS, policy.firstMs * 2 ** (failures - 1)) * (0.5 + Math.random() / 2)
  await sleep(Math.max(ownMs, askedMs), undefined, { signal }).catch(cause => {
    throw signal.aborted ? signal.reason : cause
  })
}

/** Reads `Retry-After`: seconds, or a date. In ms, from `now` (epoch ms). Source: RFC 9110 section 10.2.3. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

/** Runs an attempt again while it fails with something that may pass. */
export async function retrying<result>(
  policy: RetryPolicy,
  signal: AbortSignal,
  attempt: () => Promise<result>,
): Promise<result> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt()
    } catch (error) {
      await waitToRetry(policy, failures, error, signal)
    }
  }
}
