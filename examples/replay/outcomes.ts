import { pathToFileURL } from 'node:url'

/** One line of a file that `regatta race --from` reads. */
export interface Outcome {
  readonly request: string
  readonly variant: 'a' | 'b'
  readonly prediction: number
  readonly truth: number
  readonly series: string
  readonly at: string
}

const START = Date.UTC(2026, 0, 1)
const HOUR_MS = 3_600_000

/**
 * Two forecasts of one hourly series with a daily cycle. Both miss by something that lasts for hours, of which half is
 * common to both; what B misses by on its own is smaller by `gain` (0: both are equally good).
 */
export function* toOutcomes(hours: number, gain: number, seed: number): Generator<Outcome> {
  const normal = toNormal(seed)
  let [common, ofA, ofB] = [0, 0, 0]
  for (let hour = 0; hour < hours; hour++) {
    common = 0.9 * common + normal()
    ofA = 0.9 * ofA + normal()
    ofB = 0.9 * ofB + normal()
    const truth = 100 + 20 * Math.sin((2 * Math.PI * hour) / 24) + 3 * normal()
    const shared = {
      request: `hour-${hour}`,
      truth,
      series: 'demand',
      at: new Date(START + hour * HOUR_MS).toISOString(),
    }
    yield { ...shared, variant: 'a', prediction: truth + common + ofA }
    yield { ...shared, variant: 'b', prediction: truth + common + (1 - gain) * ofB }
  }
}

/** Standard normal numbers (Box, Muller 1958) from uniform ones (Steele, Lea, Flood 2014, SplitMix; 32-bit form). */
function toNormal(seed: number): () => number {
  let state = seed
  const uniform = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [hours = '4000', gain = '0.4', seed = '1'] = process.argv.slice(2)
  for (const outcome of toOutcomes(Number(hours), Number(gain), Number(seed)))
    process.stdout.write(`${JSON.stringify(outcome)}\n`)
}
