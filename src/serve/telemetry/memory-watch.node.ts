import { MEMORY_LOG } from '../../core/wire/memory-log.ts'
import type { Logger } from '../options.ts'
import { type ContainerMemory, readMemory } from './memory.node.ts'

/** How memory is looked at. */
export interface MemoryWatchOptions {
  readonly logger: Logger | undefined
  /** From one look to the next, ms. @default 100 */
  readonly periodMs?: number
  readonly read?: () => ContainerMemory | undefined
}

/** The log tells of a new height by this part of the limit, so that it has few lines of it. */
const STEPS = 16

/** Tells the log how much the container holds whenever that is more than ever; nothing where it has no limit. */
export function watchMemory({ logger, periodMs = 100, read = readMemory }: MemoryWatchOptions): Disposable {
  let told = 0
  const look = (): ContainerMemory | undefined => {
    const memory = read()
    if (memory !== undefined && memory.heldBytes - told >= memory.limitBytes / STEPS) {
      told = memory.heldBytes
      logger?.info(memory, MEMORY_LOG.held)
    }
    return memory
  }
  const isLimited = logger !== undefined && look() !== undefined
  const timer = isLimited ? setInterval(look, periodMs).unref() : undefined
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
