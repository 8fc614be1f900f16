import type { World } from './world.ts'

/** A whole terminal that is painted again and again; what was there before comes back when it is closed. */
export interface LiveScreen extends Disposable {
  readonly paint: (lines: readonly string[]) => void
}

/* Control sequences of xterm ("XTerm Control Sequences"): the alternate screen, and the cursor. */
const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'

/** Takes over the terminal until it is disposed. */
export function openScreen(world: Pick<World, 'err'>): LiveScreen {
  let shown = ''
  world.err(ENTER)
  return {
    paint(lines) {
      const text = `${HOME}${lines.map(line => `${line}${CLEAR_LINE}`).join('\r\n')}${CLEAR_BELOW}`
      // The same again would only flicker.
      if (text !== shown) world.err(text)
      shown = text
    },
    [Symbol.dispose]: () => world.err(LEAVE),
  }
}
