import type { World } from './world.ts'

/** One line that is repainted on a terminal; elsewhere only its milestones are printed, a line each. */
export interface LiveLine {
  /** Shows the text now on a terminal; elsewhere does nothing. */
  readonly show: (text: string) => void
  /** Prints a line that stays. */
  readonly milestone: (text: string) => void
  /** Wipes what was shown. */
  readonly clear: () => void
}

/** Paints at most every 80 ms. */
export function toLiveLine(world: Pick<World, 'err' | 'terminal' | 'clock'>): LiveLine {
  const { terminal } = world
  let shownAt = 0
  let shown = false
  const clear = (): void => {
    if (shown) world.err('\r\x1b[2K')
    shown = false
  }
  return {
    show(text) {
      if (terminal === undefined || world.clock() - shownAt < 80) return
      shownAt = world.clock()
      shown = true
      world.err(`\r\x1b[2K${[...text].slice(0, terminal.columns() - 1).join('')}`)
    },
    milestone(text) {
      clear()
      world.err(`${text}\n`)
    },
    clear,
  }
}
