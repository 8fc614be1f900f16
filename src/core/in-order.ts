/** How many items are worked on at once, and until when more are taken. */
export interface InOrderBounds {
  readonly parallel: number
  /** From its abort on no item is taken; once the answers under way are given, its reason is thrown. */
  readonly signal: AbortSignal
}

/**
 * Answers items, several at once, each with as many answers as it has. First answers come in the order of the items, and so
 * do the answers to one; where items have several, those of different items mix. An item is taken only when there is room
 * for it, and nothing is taken while an answer waits for whoever reads them.
 */
export async function* inOrder<item, answer>(
  items: AsyncIterable<item>,
  { parallel, signal }: InOrderBounds,
  toAnswers: (item: item) => AsyncIterable<answer>,
): AsyncGenerator<answer, void> {
  let wake = (): void => {}
  const source = new Ahead(items, () => wake())
  const lanes: Lane<answer>[] = []
  const onAbort = (): void => wake()
  signal.addEventListener('abort', onAbort, { once: true })
  let isOpen = true
  try {
    while (true) {
      isOpen &&= !signal.aborted
      if (isOpen && lanes.length < parallel) source.step()
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      const lane = findReady(lanes)
      if (isOpen && source.isReady) {
        const taken = source.take()
        if (taken.done === true) isOpen = false
        else lanes.push(new Lane(toAnswers(taken.value), () => wake()))
      } else if (lane !== undefined) {
        const given = lane.take()
        lanes.splice(lanes.indexOf(lane), 1)
        if (given.done === true) continue
        lane.hasAnswered = true
        lanes.splice(countAnswered(lanes), 0, lane)
        yield given.value
        lane.step()
      } else if (lanes.length === 0 && !isOpen) break
      else await promise
    }
    if (signal.aborted) throw signal.reason
  } finally {
    signal.removeEventListener('abort', onAbort)
    for (const each of [source, ...lanes]) each.leave()
  }
}

/** An iterator of which one step is made before it is wanted. */
class Ahead<value> {
  readonly #iterator: AsyncIterator<value>
  readonly #onReady: () => void
  #settled: PromiseSettledResult<IteratorResult<value>> | undefined
  #isStepping = false

  constructor(values: AsyncIterable<value>, onReady: () => void) {
    this.#iterator = values[Symbol.asyncIterator]()
    this.#onReady = onReady
  }

  get isReady(): boolean {
    return this.#settled !== undefined
  }

  /** Makes the next step, unless one is under way or was not taken yet. */
  step(): void {
    if (this.#isStepping || this.isReady) return
    this.#isStepping = true
    const settle = (settled: PromiseSettledResult<IteratorResult<value>>): void => {
      this.#settled = settled
      this.#isStepping = false
      this.#onReady()
    }
    this.#iterator.next().then(
      value => settle({ status: 'fulfilled', value }),
      (reason: unknown) => settle({ status: 'rejected', reason }),
    )
  }

  /** What the step gave, or threw. */
  take(): IteratorResult<value> {
    const settled = this.#settled
    if (settled === undefined) throw new Error('Nothing was stepped to')
    this.#settled = undefined
    if (settled.status === 'rejected') throw settled.reason
    return settled.value
  }

  /** Ends the iterator; nobody waits for it: it may be within a step that never ends. */
  leave(): void {
    this.#iterator.return?.().catch(() => {})
  }
}

/** The answers to one item. */
class Lane<answer> extends Ahead<answer> {
  /** Whether its first answer is given, so that the next lane may give its own. */
  hasAnswered = false

  constructor(answers: AsyncIterable<answer>, onReady: () => void) {
    super(answers, onReady)
    this.step()
  }
}

/** Those that have answered stand before all others; of them, whoever gave an answer last stands last. */
function countAnswered(lanes: readonly Lane<unknown>[]): number {
  const index = lanes.findIndex(lane => !lane.hasAnswered)
  return index === -1 ? lanes.length : index
}

/** A lane whose answer is there and may be given: the first answer that is due, or one of whoever waited longest. */
function findReady<answer>(lanes: readonly Lane<answer>[]): Lane<answer> | undefined {
  const answered = countAnswered(lanes)
  const due = lanes[answered]
  return due?.isReady ? due : lanes.slice(0, answered).find(lane => lane.isReady)
}
