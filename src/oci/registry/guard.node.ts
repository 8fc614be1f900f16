import { RegattaError } from '../../core/errors.ts'

/** Ends an exchange in which too little moves. */
export interface Guard {
  /** Why it was ended; undefined where it was not. */
  readonly problem: RegattaError | undefined
  /** Bytes went either way. */
  readonly move: (bytes: number) => void
  /** Starts a new wait, `times` as long as usual. */
  readonly start: (times?: number) => void
  readonly stop: () => void
}

/** Fewer bytes than these within the time of patience are no progress. */
const PROGRESS_BYTES = 16 * 1024

/** Watches an exchange from now on, and calls `abort` once nothing has moved for so long. */
export function openGuard(patienceMs: number, where: string, abort: () => void): Guard {
  let moved = 0
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let problem: RegattaError | undefined
  const start = (times = 1): void => {
    clearTimeout(timer)
    // A body may still be read from where the answer has come already; its clock would keep the process alive.
    if (stopped) return
    moved = 0
    timer = setTimeout(() => {
      problem = toSlow(patienceMs * times, where)
      abort()
    }, patienceMs * times)
  }
  start()
  return {
    get problem() {
      return problem
    },
    start,
    move(bytes) {
      moved += bytes
      if (moved < PROGRESS_BYTES || stopped) return
      moved = 0
      timer?.refresh()
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

function toSlow(ms: number, where: string): RegattaError {
  return new RegattaError(
    'REGISTRY_SLOW',
    `Cannot wait for the registry any longer: nothing moved for ${ms / 1000} s`,
    {
      where,
      fix: 'Check the network and the registry, then run the same command again',
      retryable: true,
    },
  )
}
