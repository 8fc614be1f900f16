/** Runs pieces of work one after the other, in the order of the calls; a failure stops none of the later ones. */
export type Turns = <result>(work: () => Promise<result>) => Promise<result>

/** Makes an empty line of turns. */
export function openTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve()
  return work => {
    const turn = last.then(work)
    last = turn.catch(() => {})
    return turn
  }
}
