import type { RaceJson, RacePointJson } from '../control/index.ts'
import { RegattaError } from '../core/errors.ts'
import { type ControlClient, openClient } from './client.node.ts'
import { EXIT } from './errors.ts'
import { openScreen } from './live-screen.ts'
import { pause } from './pause.node.ts'
import { toRaceScreen } from './race-screen.ts'
import { toRaceLines } from './race-view.ts'
import type { Call } from './verb.ts'
import { openWorkplace } from './workplace.node.ts'
import type { Terminal } from './world.ts'

/** Between two looks of a view that stays, ms. */
const LOOK_MS = 500

/**
 * Shows the race once, or with `watch` until it is decided: on a terminal as a view with the confidence sequence, else
 * as text whenever it changes. Returns the exit code. @throws RACE_NONE, and what control answers
 */
export async function showRace(call: Call, watch: boolean): Promise<number> {
  await using client = await openClient(call, await openWorkplace(call))
  if (watch && call.terminal !== undefined && !call.json) return await watchLive(call, client, call.terminal)
  let shown = ''
  for (;;) {
    const race = await readRace(client)
    const text = toText(call, race)
    if (text !== shown) call.out(text)
    shown = text
    if (isDecided(race)) return EXIT.done
    if (!watch) return EXIT.undecided
    if (!(await pause(LOOK_MS, call.signal))) return EXIT.interrupted
  }
}

/** What is left on the terminal afterwards is the last state, as text. */
async function watchLive(call: Call, client: ControlClient, terminal: Terminal): Promise<number> {
  let race: RaceJson
  let goesOn: boolean
  {
    using screen = openScreen(call)
    do {
      race = await readRace(client)
      const points: readonly RacePointJson[] = (await client.raceSeries())?.points ?? []
      const { columns, rows, colours } = terminal
      screen.paint(toRaceScreen(race, points, { width: columns(), height: rows(), colours }))
      goesOn = !isDecided(race) && (await pause(LOOK_MS, call.signal))
    } while (goesOn)
  }
  call.out(toText(call, race))
  return isDecided(race) ? EXIT.done : EXIT.interrupted
}

async function readRace(client: ControlClient): Promise<RaceJson> {
  const race = await client.race()
  if (race !== undefined) return race
  throw new RegattaError('RACE_NONE', 'There is no race yet: nothing runs beside the champion', {
    fix: 'regatta deploy VERSION --challenger b --shadow',
  })
}

function toText(call: Call, race: RaceJson): string {
  return call.json ? `${JSON.stringify(race)}\n` : toRaceLines(race, call.colours)
}

function isDecided({ verdict }: RaceJson): boolean {
  return verdict.state !== 'warming-up' && verdict.state !== 'keep-racing'
}
