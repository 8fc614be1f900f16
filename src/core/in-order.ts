/** How many items are worked on at once, and until when more are taken. */
export interface InOrderBounds {
  readonly parallel: number
  /** From its abort on no item is taken; once the answers under way are given, its reason is thrown. */
  readonly signal: AbortSignal
}

/**
 * Answers items in their order, several at once. An item is taken only when there is room for it, and nothing is taken
 * while an answer waits for whoever reads them.
 */
export async function* inOrder<item, answer>(
  items: AsyncIterable<item>,
  { parallel, signal }: InOrderBounds,
  toAnswer: (item: item) => Promise<answer>,
): AsyncGenerator<answer, void> {
  const source = items[Symbol.asyncIterator]()
  const answers: Promise<answer>[] = []
  let taking: Promise<IteratorResult<item>> | undefined
  let isOpen = !signal.aborted
  let wake = (): void => {}
  const stop = (): void => {
    isOpen = false
    wake()
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    while (true) {
      if (isOpen && answers.length < parallel) taking ??= source.next()
      const [first] = answers
      if (first === undefined && !isOpen) break
      // A promise of its own for each wait: one that outlives it would keep every one of its listeners.
      const { promise: stopped, resolve } = Promise.withResolvers<'stopped'>()
      wake = () => resolve('stopped')
      const taken = await Promise.race([
        stopped,
        ...(taking === undefined || !isOpen ? [] : [taking]),
        ...(first === undefined ? [] : [first.then(() => 'answered' as const)]),
      ])
      if (taken === 'answered') {
        answers.shift()
        if (first !== undefined) yield await first
      } else if (taken !== 'stopped') {
        taking = undefined
        if (taken.done === true) isOpen = false
        else answers.push(unheard(toAnswer(taken.value)))
      }
    }
    if (signal.aborted) throw signal.reason
  } finally {
    signal.removeEventListener('abort', stop)
    unheard(taking)
    // It may wait for an item that never comes.
    unheard(source.return?.())
  }
}

/** A promise whose failure is no news where nobody waits for it any more. */
function unheard<promise extends Promise<unknown> | undefined>(promise: promise): promise {
  promise?.catch(() => {})
  return promise
}
