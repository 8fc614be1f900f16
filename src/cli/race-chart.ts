import type { RacePointJson } from '../control/index.ts'
import { toFigure } from '../core/figure.ts'
import { paint } from './terminal.ts'

/** How large a chart is, in cells, its labels included. */
export interface ChartSize {
  readonly width: number
  readonly height: number
  readonly colours: boolean
}

type Bounds = { readonly lower: number; readonly upper: number }
type Drawn = RacePointJson & Bounds

const LABEL_COLUMNS = 10

/**
 * Draws the improvement of B over A against the labels, with its confidence sequence: `━` the improvement, `░` what lies
 * within the bounds, `─` no difference. The first labels' bounds, which are wide, may reach beyond the chart. As many
 * lines as its height; fewer where there is nothing to draw yet.
 */
export function toRaceChart(
  points: readonly RacePointJson[],
  { width, height, colours }: ChartSize,
): readonly string[] {
  const drawn = points.filter((point): point is Drawn => point.lower !== null && point.upper !== null)
  const columns = width - LABEL_COLUMNS
  const rows = height - 1
  const last = drawn.at(-1)
  if (last === undefined || columns < 10 || rows < 3) return []
  const range = toRange(drawn)
  const toRow = (y: number): number => Math.round(((range.upper - y) / (range.upper - range.lower)) * (rows - 1))
  const [first = last] = drawn
  const span = { from: first.n, to: last.n }
  const samples = Array.from({ length: columns }, (_, column) => toSample(drawn, (column + 1) / columns, span))
  const zero = toRow(0)
  const labels = new Map([
    [0, range.upper],
    [zero, 0],
    [rows - 1, range.lower],
  ])
  const lines = Array.from({ length: rows }, (_, row) => {
    const label = labels.get(row)
    const head = (label === undefined ? '' : toFigure(label)).padStart(LABEL_COLUMNS - 1)
    const cells = samples.map(sample => toCell(sample, row, zero, toRow))
    return `${head} ${toPainted(cells, colours)}`
  })
  return [...lines, toAxis(span, columns)]
}

/** Labels that a chart shows. */
interface Span {
  readonly from: number
  readonly to: number
}

/** The point at a part of the chart's width: the last one up to the labels there. */
function toSample(points: readonly Drawn[], part: number, { from, to }: Span): Drawn | undefined {
  const upTo = from + part * (to - from)
  return points.findLast(({ n }) => n <= upTo)
}

/** From the bounds of the later two thirds, with zero among them. */
function toRange(points: readonly Drawn[]): Bounds {
  const labels = points.at(-1)?.n ?? 0
  const shown = points.filter(({ n }) => n * 3 >= labels)
  const lower = Math.min(0, ...shown.map(point => point.lower))
  const upper = Math.max(0, ...shown.map(point => point.upper))
  return upper > lower ? { lower, upper } : { lower: lower - 1, upper: upper + 1 }
}

type Cell = 'estimate' | 'band' | 'zero' | 'empty'

const GLYPHS = { estimate: '━', band: '░', zero: '─', empty: ' ' } as const satisfies Record<Cell, string>

function toCell(point: Drawn | undefined, row: number, zero: number, toRow: (y: number) => number): Cell {
  if (point !== undefined && row === toRow(point.estimate)) return 'estimate'
  if (row === zero) return 'zero'
  return point !== undefined && row >= toRow(point.upper) && row <= toRow(point.lower) ? 'band' : 'empty'
}

/** Neighbours of a kind are painted together. */
function toPainted(cells: readonly Cell[], colours: boolean): string {
  const styles = { estimate: 'green', band: 'dim', zero: 'bold', empty: 'reset' } as const
  let line = ''
  for (let from = 0; from < cells.length; ) {
    const cell = cells[from] ?? 'empty'
    const next = cells.findIndex((other, at) => at > from && other !== cell)
    const to = next === -1 ? cells.length : next
    const text = GLYPHS[cell].repeat(to - from)
    line += cell === 'empty' ? text : paint(colours, styles[cell], text)
    from = to
  }
  return line.trimEnd()
}

function toAxis({ from, to }: Span, columns: number): string {
  const begin = from < to ? from.toLocaleString('en-US') : ''
  const end = `${to.toLocaleString('en-US')} labels`
  const hasRoom = begin.length + end.length < columns
  const text = hasRoom ? begin + end.padStart(columns - begin.length) : end.padStart(columns)
  return ' '.repeat(LABEL_COLUMNS) + text.slice(-columns)
}
