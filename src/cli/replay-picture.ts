import type { RaceConfig } from '../config/index.ts'
import { toFigure } from '../core/figure.ts'
import type { ReplayLine } from '../judge/index.ts'

/** A point of the picture: what a look saw. */
export interface PicturePoint {
  readonly n: number
  readonly estimate: number
  readonly lower: number | null
  readonly upper: number | null
}

/** Points of a race at even distances, which double whenever there are too many: a bound on memory. */
export interface Track {
  readonly points: readonly PicturePoint[]
  /** Labels from one point to the next. */
  readonly stride: number
}

const MOST_POINTS = 400

/** The track before the first look. */
export const emptyTrack: Track = { points: [], stride: 1 }

/** Adds the look after `n` labels, if it is one that the track keeps. */
export function track(before: Track, n: number, toPoint: () => PicturePoint | undefined): Track {
  if (n % before.stride !== 0) return before
  const point = toPoint()
  if (point === undefined) return before
  const points = [...before.points, point]
  if (points.length < MOST_POINTS) return { ...before, points }
  const stride = 2 * before.stride
  return { stride, points: points.filter(kept => kept.n % stride === 0) }
}

const WIDTH = 800
const HEIGHT = 360
const PAD = { left: 70, right: 16, top: 34, bottom: 44 }
const STYLE =
  'text{font:12px system-ui,sans-serif;fill:#444}.title{font-size:14px;fill:#111}.grid{stroke:#ddd}' +
  '.zero{stroke:#111}.band{fill:#2b6cb0;fill-opacity:.18}.mean{fill:none;stroke:#2b6cb0;stroke-width:2}' +
  '.decided{stroke:#2f855a;stroke-dasharray:4 3}'

/** The improvement of B and its confidence sequence over the labels, as a picture that stands alone. */
export function toReplaySvg({ points: before }: Track, line: ReplayLine, race: RaceConfig): string {
  const points = toEnd(before, line)
  const scale = toScale(points)
  const at = (n: number, value: number): string => `${scale.x(n).toFixed(1)},${scale.y(value).toFixed(1)}`
  const bounded = points.filter(({ lower, upper }) => lower !== null && upper !== null)
  const band = [
    ...bounded.map(({ n, upper }) => at(n, upper ?? 0)),
    ...bounded.map(({ n, lower }) => at(n, lower ?? 0)).reverse(),
  ]
  const percent = toFigure((1 - race.alpha) * 100)
  const title = `Improvement of ${line.b ?? 'B'} over ${line.a ?? 'A'} with its ${percent} % confidence sequence: ${line.verdict}`
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${escapeXml(title)}</title><style>${STYLE}</style><rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text class="title" x="${PAD.left}" y="20">${escapeXml(title)}</text>`,
    ...scale.levels.map(value => toLevel(value, scale.y(value))),
    ...scale.counts.map(n => `<text x="${scale.x(n).toFixed(1)}" y="${HEIGHT - 24}" text-anchor="middle">${n}</text>`),
    `<text x="${WIDTH / 2}" y="${HEIGHT - 6}" text-anchor="middle">labels (${escapeXml(line.design)})</text>`,
    `<polygon class="band" points="${band.join(' ')}"/>`,
    `<polyline class="mean" points="${points.map(({ n, estimate }) => at(n, estimate)).join(' ')}"/>`,
    ...toDecided(line, scale),
    '</svg>',
  ].join('\n')}\n`
}

/** The track up to the last label, which it need not have kept. */
function toEnd(
  points: readonly PicturePoint[],
  { estimate, labels, lower, upper }: ReplayLine,
): readonly PicturePoint[] {
  if (estimate === null || points.at(-1)?.n === labels.counted) return points
  return [...points, { n: labels.counted, estimate, lower, upper }]
}

interface Scale {
  readonly x: (n: number) => number
  readonly y: (value: number) => number
  readonly levels: readonly number[]
  readonly counts: readonly number[]
}

/** The first labels tell next to nothing: their wide bounds may run out of the picture. */
function toScale(points: readonly PicturePoint[]): Scale {
  const late = points.slice(Math.floor(points.length / 8))
  const values = late.flatMap(({ estimate, lower, upper }) => [estimate, lower ?? estimate, upper ?? estimate])
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)]
  const room = (high - low) * 0.05 || 1
  const [bottom, top, last] = [low - room, high + room, points.at(-1)?.n ?? 1]
  const clamp = (value: number): number => Math.min(top, Math.max(bottom, value))
  return {
    x: n => PAD.left + (n / last) * (WIDTH - PAD.left - PAD.right),
    y: value => PAD.top + ((top - clamp(value)) / (top - bottom)) * (HEIGHT - PAD.top - PAD.bottom),
    levels: toTicks(bottom, top),
    counts: toTicks(0, last),
  }
}

function toLevel(value: number, y: number): string {
  const [from, to, height] = [PAD.left, WIDTH - PAD.right, y.toFixed(1)]
  const line = `<line class="${value === 0 ? 'zero' : 'grid'}" x1="${from}" x2="${to}" y1="${height}" y2="${height}"/>`
  return `${line}<text x="${from - 8}" y="${(y + 4).toFixed(1)}" text-anchor="end">${value}</text>`
}

/** A line where the first decision fell. */
function toDecided({ decision }: ReplayLine, { x }: Scale): readonly string[] {
  if (decision === null) return []
  const at = x(decision.truthRevision).toFixed(1)
  const line = `<line class="decided" x1="${at}" x2="${at}" y1="${PAD.top}" y2="${HEIGHT - PAD.bottom}"/>`
  return [line, `<text x="${at}" y="${PAD.top + 10}" dx="4">${decision.state}</text>`]
}

/** Round numbers within a range, about five. */
function toTicks(low: number, high: number): readonly number[] {
  const raw = (high - low) / 5 || 1
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = power * ([1, 2, 5, 10].find(factor => factor * power >= raw) ?? 10)
  const first = Math.ceil(low / step)
  const count = Math.floor(high / step) - first + 1
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)))
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
