import { setTimeout } from 'node:timers/promises'

/** Resolves once something holds, asked every few milliseconds; rejects after a minute. */
export async function untilTrue(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('It did not come true within a minute')
    await setTimeout(5)
  }
}
