import type { RaceJson, RacePointJson } from '../control/index.ts'
import { RegattaError } from '../core/errors.ts'
import { type ControlClient, openClient } from './client.node.ts'
import { EXIT } from './errors.ts'
import { openScreen } from './live-screen.ts'
import { pause } from './pause.node.ts'
import { toRaceScreen } from './race-screen.ts'
import { toRacesLines } from './race-view.ts'
import type { Call } from './verb.ts'
import { openWorkplace } from './workplace.node.ts'
import type { Terminal } from './world.ts'

/** Between two looks of a view that stays, ms. */
const LOOK_MS = 500

/**
 * Shows the races that run, or the one of a challenger, once; with `watch` until they are decided: on a terminal a single
 * race as a view with its confidence sequence, else as text whenever something changes. Returns the exit code.
 * @throws RACE_NONE, and what control answers
 */
export async function showRaces(call: Call, watch: boolean, challenger: string | undefined): Promise<number> {
  await using client = await openClient(call, await openWorkplace(call))
  let shown = ''
  for (;;) {
    const races = await readRaces(client, challenger)
    const [race] = races
    if (watch && call.terminal !== undefined && !call.json && race !== undefined && races.length === 1) {
      return await watchLive(call, client, { terminal: call.terminal, challenger })
    }
    const text = toText(call, races)
    if (text !== shown) call.out(text)
    shown = text
    if (races.every(isDecided)) {
      tellNext(call, races)
      return EXIT.done
    }
    if (!watch) return EXIT.undecided
    if (!(await pause(LOOK_MS, call.signal))) return EXIT.interrupted
  }
}

interface LiveView {
  readonly terminal: Terminal
  readonly challenger: string | undefined
}

/** What is left on the terminal afterwards is the last state, as text. */
async function watchLive(call: Call, client: ControlClient, { terminal, challenger }: LiveView): Promise<number> {
  let race: RaceJson
  let goesOn: boolean
  {
    using screen = openScreen(call)
    do {
      race = await readRace(client, challenger)
      const points: readonly RacePointJson[] = (await client.raceSeries(challenger))?.points ?? []
      const { columns, rows, colours } = terminal
      screen.paint(toRaceScreen(race, points, { width: columns(), height: rows(), colours }))
      goesOn = !isDecided(race) && (await pause(LOOK_MS, call.signal))
    } while (goesOn)
  }
  call.out(toText(call, [race]))
  tellNext(call, [race])
  return isDecided(race) ? EXIT.done : EXIT.interrupted
}

async function readRaces(client: ControlClient, challenger: string | undefined): Promise<readonly RaceJson[]> {
  const races = challenger === undefined ? await client.races() : [await readRace(client, challenger)]
  if (races.length === 0) throw toNoRace()
  return races
}

async function readRace(client: ControlClient, challenger: string | undefined): Promise<RaceJson> {
  const race = await client.race(challenger)
  if (race === undefined) throw toNoRace()
  return race
}

function toNoRace(): RegattaError {
  return new RegattaError('RACE_NONE', 'There is no race yet: nothing runs beside the champion', {
    fix: 'regatta deploy VERSION --challenger b --shadow',
  })
}

function toText(call: Call, races: readonly RaceJson[]): string {
  return call.json ? races.map(race => `${JSON.stringify(race)}\n`).join('') : toRacesLines(races, call.colours)
}

/** What may be done about the races: promotion is up to whoever looks. */
function tellNext(call: Call, races: readonly RaceJson[]): void {
  for (const { ended, variants, verdict } of races) {
    if (ended === null && verdict.state === 'promote-B') call.err(`next: regatta promote ${variants[1]?.name ?? ''}\n`)
  }
}

function isDecided({ verdict }: RaceJson): boolean {
  return verdict.state !== 'warming-up' && verdict.state !== 'keep-racing'
}
