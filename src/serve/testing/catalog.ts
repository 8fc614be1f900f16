import { LiveCatalog } from '../catalog/live-catalog.ts'
import type { LoadLimits } from '../catalog/loading.ts'
import { openVersion } from '../catalog/open-version.node.ts'
import { findModelFiles } from '../catalog/repository.node.ts'
import { type Logger, toLimits, toLoadLimits } from '../options.ts'
import { toMetrics } from '../telemetry/metrics.ts'

/** A catalog of real models whose time stands still until it is told to go on; disposed of by its user. */
export function openCatalog(limits: Partial<LoadLimits> = {}) {
  const options = { models: [], httpPort: 0, ...limits }
  const metrics = toMetrics({ inFlight: () => 0, isReady: () => true, more: () => [] }, Date.now)
  const sleepers = new Set<{ readonly ms: number; readonly wake: () => void }>()
  const log: string[] = []
  const write = (about: unknown, text?: string): void => void log.push(`${text} ${JSON.stringify(about)}`)
  const logger: Logger = { info: write, warn: write, error: write }
  const catalog = new LiveCatalog({
    find: findModelFiles,
    open: async (name, file, isBusy) =>
      await openVersion({ limits: toLimits(options, 2), metrics, logger }, name, file, isBusy),
    async sleep(ms, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const sleeper = { ms, wake: resolve }
      sleepers.add(sleeper)
      signal.addEventListener('abort', reject, { once: true })
      try {
        await promise
      } finally {
        sleepers.delete(sleeper)
      }
    },
    logger,
    onLost: () => {},
    limits: toLoadLimits(options),
  })
  return {
    catalog,
    log,
    /** The waits under way, ms. */
    waits: (): readonly number[] => [...sleepers].map(({ ms }) => ms),
    /** Ends the waits of so many milliseconds. */
    wake(ms: number): void {
      for (const sleeper of sleepers) if (sleeper.ms === ms) sleeper.wake()
    },
    /** `1 AVAILABLE, 2 END` */
    states: (name: string): string =>
      catalog
        .versions(name)
        .map(({ version, state }) => `${version} ${state}`)
        .join(', '),
    async [Symbol.asyncDispose]() {
      await catalog[Symbol.asyncDispose]()
    },
  }
}
