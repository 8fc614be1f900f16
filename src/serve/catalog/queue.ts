import { Refusal } from '../errors.ts'

/** How a queue is set up, and what it tells. */
export interface QueueOptions {
  /** Works under way at once. */
  readonly parallel: number
  /** Works that wait beside them; more are refused. */
  readonly maxWaiting: number
}

/** Works in the order of their arrival, so many at a time. */
export interface Queue {
  /** How many wait now. */
  readonly waiting: number
  /**
   * Starts the work when it is its turn, or never if the signal aborts before.
   * @throws OVERLOADED where too many wait, GONE where the signal aborted before its turn
   */
  run<result>(work: () => Promise<result>, signal: AbortSignal): Promise<result>
}

/** Opens an empty queue. */
export function toQueue({ parallel, maxWaiting }: QueueOptions): Queue {
  const waiting = new Set<() => void>()
  let running = 0
  return {
    get waiting() {
      return waiting.size
    },
    async run(work, signal) {
      if (signal.aborted) throw toGone()
      if (running < parallel) running += 1
      else await wait(signal)
      try {
        return await work()
      } finally {
        pass()
      }
    },
  }

  /** Resolves when a place was handed over. */
  async function wait(signal: AbortSignal): Promise<void> {
    if (waiting.size >= maxWaiting) {
      throw new Refusal('OVERLOADED', `The server is busy: ${maxWaiting} requests wait already`)
    }
    await new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        waiting.delete(enter)
        reject(toGone())
      }
      waiting.add(enter)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  /** Hands the place to the first that waits. */
  function pass(): void {
    const [first] = waiting
    if (first === undefined) running -= 1
    else {
      waiting.delete(first)
      first()
    }
  }
}

function toGone(): Refusal {
  return new Refusal('GONE', 'The client closed the connection before its turn')
}
