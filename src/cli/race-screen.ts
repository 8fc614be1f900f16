import { stripVTControlCharacters } from 'node:util'
import type { RaceJson, RacePointJson } from '../control/index.ts'
import { type ChartSize, toRaceChart } from './race-chart.ts'
import { toRaceLines } from './race-view.ts'

/** Fewer lines make no chart. */
const LEAST_CHART = 6
const HINT = 'Ctrl-C ends the view; the race goes on'

/**
 * Lays out the race for a terminal: what `regatta race` prints, and above it the chart where there is room. No line is
 * wider than the terminal, and there are no more of them than it has.
 */
export function toRaceScreen(race: RaceJson, points: readonly RacePointJson[], size: ChartSize): readonly string[] {
  const { width, height, colours } = size
  const lines = toRaceLines(race, colours)
    .trimEnd()
    .split('\n')
    .flatMap(line => wrap(line, width))
  const room = height - lines.length - 3
  const chart = room < LEAST_CHART ? [] : toRaceChart(points, { width, height: room, colours })
  const above = chart.length === 0 ? [] : [...chart, '']
  return [...above, ...lines, '', HINT.slice(0, width)].slice(0, height)
}

/** Breaks a line at spaces; one with escape sequences that is too wide loses its colours. */
function wrap(line: string, width: number): readonly string[] {
  const plain = stripVTControlCharacters(line)
  if ([...plain].length <= width) return [line]
  const lines: string[] = []
  let rest = plain
  while ([...rest].length > width) {
    const space = rest.lastIndexOf(' ', width)
    const at = space > width / 2 ? space : width
    lines.push(rest.slice(0, at))
    rest = rest.slice(at).trimStart()
  }
  return [...lines, rest]
}
