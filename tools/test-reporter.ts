import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { spec } from 'node:test/reporters'

/* The reporter of `tools/test.js`: what Node's own `spec` prints, and then the line that counts. */

/** What of an event of `node:test` is looked at. */
interface TestEvent {
  readonly type: string
  readonly data: {
    readonly name?: string
    readonly file?: string
    readonly skip?: string | boolean
    readonly todo?: string | boolean
    readonly details?: { readonly type?: string; readonly error?: { readonly failureType?: string } }
  }
}

/** Counts what the events tell, and sees what they do not: a file that ended before its tests did. */
class Tally {
  readonly counts = { passed: 0, failed: 0, skipped: 0 }
  readonly #begun = new Set<string>()
  readonly #whole = new Set<string>()
  readonly #failed = new Set<string>()

  add({ type, data }: TestEvent): void {
    if (data.file === undefined) return
    const file = resolve(data.file)
    // Tests may be told by files that it imports; what is begun is named by its own path.
    if (data.name !== undefined && resolve(data.name) === file) this.#begun.add(file)
    // A process tells its summary once all of its tests have ended.
    if (type === 'test:summary') this.#whole.add(file)
    if (type === 'test:pass') this.#addPassed(data, file)
    if (type === 'test:fail') this.#addFailed(data, file)
  }

  /** Files that ended with a good exit code before their tests did, or have none: `node:test` takes them for passed. */
  listCut(): readonly string[] {
    return [...this.#begun].filter(file => !this.#whole.has(file) && !this.#failed.has(file))
  }

  #addPassed({ details, name = '', skip, todo }: TestEvent['data'], file: string): void {
    if (isOn(skip) || isOn(todo)) this.counts.skipped += 1
    else if (details?.type !== 'suite' && resolve(name) !== file) this.counts.passed += 1
  }

  #addFailed({ details, todo }: TestEvent['data'], file: string): void {
    if (isOn(todo)) this.counts.skipped += 1
    // A suite fails with its tests, which are counted, or by itself.
    else if (details?.type !== 'suite' || details.error?.failureType !== 'subtestsFailed') {
      this.counts.failed += 1
      this.#failed.add(file)
    }
  }
}

/** Reports to a person, and ends with `N passed, N failed, N skipped`; the exit code goes with that line. */
// biome-ignore lint/style/noDefaultExport: it is what `node --test` takes of a reporter
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const tally = new Tally()
  const silence = watchSilence()
  const watched = async function* () {
    for await (const event of source) {
      silence.isBroken()
      tally.add(event)
      yield event
    }
  }
  yield* Readable.from(watched()).pipe(spec())
  silence[Symbol.dispose]()
  const { counts } = tally
  for (const file of tally.listCut()) {
    counts.failed += 1
    yield `✖ ${file} ended before its tests did, or has none\n`
  }
  yield `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`
  // What a person lacks at home is skipped with its reason; where everything has to be there, that is a failure.
  const lacking = process.env['CI'] !== undefined && counts.skipped > 0
  if (counts.failed > 0 || counts.passed === 0 || lacking) process.exitCode = 1
}

/**
 * Kills a file that hangs. The time limit of a test does not end a process that is busy, or that something keeps open
 * after its tests: then nobody tells anything any more, for longer than a test may take. The files are told in the order
 * of their starts, so that it is the first process.
 */
function watchSilence(): { isBroken(): void } & Disposable {
  const testTimeoutMs = Number(process.execArgv.findLast(flag => flag.startsWith('--test-timeout='))?.split('=')[1])
  let toldAt = performance.now()
  const timer = setInterval(() => {
    if (performance.now() - toldAt < 1.5 * testTimeoutMs) return
    const [first] = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ')
    if (first) process.kill(Number(first), 'SIGKILL')
    toldAt = performance.now()
  }, testTimeoutMs / 10)
  timer.unref()
  return {
    isBroken() {
      toldAt = performance.now()
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}

function isOn(mark: string | boolean | undefined): boolean {
  return mark !== undefined && mark !== false
}
