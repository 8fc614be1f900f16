import { setTimeout as sleep } from 'node:timers/promises'

/** Waits; true after the time, false (at once) when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return await sleep(ms, true, { signal }).catch(() => false)
}
