/**
 * The page's chart as JavaScript text: a module that turns points of a race's series into SVG text. Only numbers go
 * into that text, so it needs no escaping.
 */
export const CHART = `const WIDTH = 800
const HEIGHT = 320
const PAD = { left: 64, right: 12, top: 12, bottom: 36 }

/** The improvement over the labels as SVG text; '' below two points. */
export function toChart(points) {
  if (points.length < 2) return ''
  const [low, high] = toRange(points)
  const first = points[0].n
  const last = points[points.length - 1].n
  const x = n => PAD.left + ((n - first) / Math.max(1, last - first)) * (WIDTH - PAD.left - PAD.right)
  const y = v => PAD.top + ((high - clamp(v, low, high)) / (high - low)) * (HEIGHT - PAD.top - PAD.bottom)
  const at = (n, v) => x(n).toFixed(1) + ',' + y(v).toFixed(1)
  const bounded = points.filter(point => point.lower !== null && point.upper !== null)
  const band = bounded.map(p => at(p.n, p.upper)).concat(bounded.map(p => at(p.n, p.lower)).reverse())
  return (
    '<svg viewBox="0 0 ' + WIDTH + ' ' + HEIGHT + '" role="img" aria-labelledby="chart-title">' +
    '<title id="chart-title">' + toTitle(points[points.length - 1]) + '</title>' +
    '<polygon class="band" points="' + band.join(' ') + '"/>' +
    toTicks(low, high).map(v => toLevel(v, y(v))).join('') +
    toTicks(first, last).map(n => toCount(n, x(n))).join('') +
    '<polyline class="mean" points="' + points.map(p => at(p.n, p.estimate)).join(' ') + '"/></svg>'
  )
}

/** The first labels tell next to nothing: their wide bounds may run out of the picture. */
function toRange(points) {
  const late = points.slice(Math.floor(points.length / 5))
  const values = late.flatMap(p => [p.estimate, p.lower, p.upper]).filter(v => v !== null)
  const low = Math.min(0, ...values)
  const high = Math.max(0, ...values)
  const room = (high - low) * 0.05 || 1
  return [low - room, high + room]
}

/** Round numbers within a range, about five. */
export function toTicks(low, high) {
  const raw = (high - low) / 5 || 1
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = power * ([1, 2, 5, 10].find(m => m * power >= raw) || 10)
  const ticks = []
  for (let i = Math.ceil(low / step); i * step <= high; i++) ticks.push(Number((i * step).toPrecision(12)))
  return ticks
}

function toLevel(value, y) {
  const line = '<line class="' + (value === 0 ? 'zero' : 'grid') + '" x1="' + PAD.left + '" x2="' + (WIDTH - PAD.right) +
    '" y1="' + y.toFixed(1) + '" y2="' + y.toFixed(1) + '"/>'
  return line + '<text x="' + (PAD.left - 8) + '" y="' + (y + 4).toFixed(1) + '" text-anchor="end">' + value + '</text>'
}

function toCount(n, x) {
  return '<text x="' + x.toFixed(1) + '" y="' + (HEIGHT - 12) + '" text-anchor="middle">' + n + '</text>'
}

function toTitle({ n, estimate, lower, upper }) {
  const bounds = lower === null || upper === null ? '' : ', bounds ' + toFigure(lower) + ' to ' + toFigure(upper)
  return 'Improvement of B over A after ' + n + ' labels: ' + toFigure(estimate) + bounds
}

/** A number as people read it; what is not known is a dash. */
export function toFigure(value) {
  return value === null ? '–' : String(Number(value.toPrecision(4)))
}

function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value))
}
`
