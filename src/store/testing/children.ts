import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { NOON, type Place, startRace, toPair, toTruth } from './place.ts'
import { toPlain } from './recount.ts'

/** A process that works on a test's database. */
export class Child {
  readonly #process: ChildProcess
  readonly #exit: Promise<readonly unknown[]>
  readonly #lines: string[] = []

  /** Starts `testing/NAME.ts` with what `openStore` takes and further arguments. */
  constructor(name: string, where: Place['where'], args: readonly number[]) {
    const path = join(import.meta.dirname, `${name}.ts`)
    this.#process = spawn(process.execPath, [path, JSON.stringify(where), ...args.map(String)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#exit = once(this.#process, 'close')
    let tail = ''
    this.#process.stdout?.on('data', chunk => {
      const lines = `${tail}${chunk}`.split('\n')
      tail = lines.pop() ?? ''
      this.#lines.push(...lines)
      this.onLine()
    })
  }

  /** Told when something was said. */
  onLine: () => void = () => {}

  /** What it said so far, line by line. */
  get said(): readonly string[] {
    return this.#lines
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  /** Waits for its end; gives its exit code, or the name of the signal that ended it. */
  async end(): Promise<unknown> {
    const [code, signal] = await this.#exit
    return code ?? signal
  }
}

/**
 * Lets writers store pairs and their truths, several at a time, and kills each at some moment. What was under way
 * comes again, as a gateway sends it that got no answer; everything must be there once then. Returns how much that is.
 */
export async function killWriters(
  place: Place,
  { rounds, writers }: { readonly rounds: number; readonly writers: number },
): Promise<number> {
  const race = await startRace(place.store)
  const stored: number[] = []
  for (let round = 0; round < rounds; round++) {
    const firsts = Array.from({ length: writers }, (_, n) => (round * writers + n) * 1000)
    const children = firsts.map(first => new Child('child', place.where, [first, 1000]))
    await Promise.all(children.map((child, n) => killAfter(child, (round * 7 + n * 3) % 20, (round * 13) % 9)))
    for (const [n, child] of children.entries()) {
      const next = (firsts[n] ?? 0) + child.said.length
      await place.store.addPredictions(toPair(next, next % 7, next % 5))
      await place.store.addTruths([toTruth(next, next % 3)], NOON)
      stored.push(...child.said.map(Number), next)
    }
  }
  toPlain(stored).assertSame(await place.store.readScoreboard(race))
  const counts = await place.store.readTruthCounts()
  assert.deepEqual([counts.new, counts.orphan, counts.conflict], [stored.length, 0, 0])
  return stored.length
}

/** Kills a child some time, ms, after it has said a number of lines. */
async function killAfter(child: Child, lines: number, ms: number): Promise<void> {
  child.onLine = () => {
    if (child.said.length > lines) setTimeout(() => child.kill(), ms)
  }
  assert.equal(await child.end(), 'SIGKILL')
}
