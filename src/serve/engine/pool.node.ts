import { RegattaError, toErrorText } from '../../core/errors.ts'
import type { Engine } from './engine.ts'

/** How a pool is set up. */
export interface PoolOptions {
  /** Engines of it. */
  readonly size: number
  /** Opens one more, warmed. */
  readonly open: () => Promise<Engine>
  /** Told of an engine that was lost, or could not be opened. */
  readonly onTrouble: (text: string) => void
}

/** So many engines may be lost without a run between them: whatever ends them does not go away. */
const MAX_LOSSES = 5

interface Member {
  readonly engine: Engine
  running: number
}

/**
 * Makes one engine of several of the same model. The first is there; the others come one after another, so that the
 * machine is not taken from whoever is served meanwhile. An engine that is lost is replaced: its runs reject with
 * ENGINE_LOST, and may be asked again.
 */
export function openPool(first: Engine, options: PoolOptions): Engine {
  const members = new Set<Member>()
  const lost = Promise.withResolvers<never>()
  // Whoever waits for the end sees it; nobody has to.
  lost.promise.catch(() => {})
  let losses = 0
  let isClosing = false
  let opening = Promise.resolve()
  join(first)
  for (let at = 1; at < options.size; at += 1) openSoon()
  return {
    inputs: first.inputs,
    outputs: first.outputs,
    get lanes() {
      return Math.max(1, members.size)
    },
    get parallelRuns() {
      return Math.max(1, members.size) * first.parallelRuns
    },
    lost: lost.promise,
    async run(inputs, outputs) {
      const member = await enter()
      try {
        const results = await member.engine.run(inputs, outputs)
        losses = 0
        return results
      } finally {
        member.running -= 1
      }
    },
    async [Symbol.asyncDispose]() {
      isClosing = true
      await opening
      await Promise.all([...members].map(({ engine }) => engine[Symbol.asyncDispose]()))
    },
  }

  /** Takes a place at the member with the least to do; where all are lost, at the first of those that come. */
  async function enter(): Promise<Member> {
    while (members.size === 0) {
      if (isClosing) throw new RegattaError('ENGINE_LOST', 'The threads of the model have ended')
      await Promise.race([lost.promise, opening])
    }
    const idle = [...members].reduce((least, member) => (member.running < least.running ? member : least))
    idle.running += 1
    return idle
  }

  function join(engine: Engine): void {
    const member = { engine, running: 0 }
    members.add(member)
    engine.lost.catch((error: unknown) => {
      members.delete(member)
      if (isClosing) return
      losses += 1
      options.onTrouble(toText(error))
      if (losses <= MAX_LOSSES) openSoon()
      else giveUp(`${losses} threads of the model ended one after another`, error)
    })
  }

  function openSoon(): void {
    opening = opening.then(async () => {
      if (isClosing) return
      try {
        join(await options.open())
      } catch (error) {
        options.onTrouble(`Cannot open another thread of the model: ${toText(error)}`)
        if (members.size === 0) giveUp('No thread of the model can be opened', error)
      }
    })
  }

  function giveUp(text: string, cause: unknown): void {
    lost.reject(new RegattaError('ENGINE_LOST', `${text}: ${toText(cause)}`, { cause }))
  }
}

/** An error of ours tells its cause already. */
function toText(error: unknown): string {
  return error instanceof RegattaError ? error.message : toErrorText(error)
}
