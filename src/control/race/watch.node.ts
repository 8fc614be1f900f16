import { toErrorText } from '../../core/errors.ts'
import type { StoredRace } from '../../store/index.ts'
import type { RaceJson } from '../api/race.ts'
import type { RacePointJson, RaceSeriesJson } from '../api/verdict.ts'
import type { LatenessRow } from './lateness.ts'
import { type Kept, type Look, type LookWorld, lookAt, NOTHING_KEPT } from './look.ts'
import { rebuildPoints } from './rebuilding.ts'
import { toComparisons } from './rule.ts'
import { addPoint } from './series.ts'
import { toPoint } from './verdict.ts'

/** What the watch works with. */
export interface RaceWatchOptions extends LookWorld {
  /** Time from new data to the next look, ms: what comes in between is judged at once. */
  readonly delayMs: number
  /** Time from one look at races that run to the next without new data, ms: time alone may spend a budget. */
  readonly idleMs: number
  /** Told of a race that looks different from before. */
  readonly onRace: (race: RaceJson) => void
  /** Told when a race's decision was just written. */
  readonly onDecision: (race: RaceJson) => void
  /** Told of every look at a race that runs; the next look waits for it. */
  readonly onLook: (look: Look) => Promise<void>
}

/** A look that takes longer than this is not taken at every call, ms. */
const CHEAP_MS = 5000
/** Share of the time that looking may take. */
const BUSY_SHARE = 0.1
const RETRY_MS = 1000
/** A series of more labels is not read back: that would hold up everything else for seconds. */
const MAX_REBUILT_LABELS = 200_000

/** A race as it was last seen. */
interface Seen {
  readonly json: RaceJson
  readonly text: string
  readonly points: readonly RacePointJson[]
  readonly kept: Kept
}

/** Judges the running races when something has come in, and keeps their series. */
export class RaceWatch implements AsyncDisposable {
  readonly #options: RaceWatchOptions
  #timer: NodeJS.Timeout | undefined
  #idle: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #stale = true
  #closed = false
  #restUntil = 0
  #turns = 0
  /** The races that run, or the last one where none does, by id. */
  #seen: ReadonlyMap<number, Seen> = new Map()

  constructor(options: RaceWatchOptions) {
    this.#options = options
  }

  /** Notes that the database has something new. */
  touch(): void {
    this.#stale = true
    this.#lookIn(this.#options.delayMs)
  }

  /** Notes that a race started or ended: the next look waits for nothing. */
  turn(): void {
    this.#turns += 1
    this.#restUntil = 0
    this.touch()
  }

  /**
   * The races that run, or the last one where none does, with everything that is in the database. Where looking takes
   * long, at races with very many labels, they are those of the last look.
   */
  async read(): Promise<readonly RaceJson[]> {
    if (this.#options.clock() >= this.#restUntil) {
      // A look that is under way knows what came before it began; what came later has made it stale again.
      await this.#looking?.catch(() => {})
      if (this.#stale) await this.#lookOnce()
    }
    return this.seen
  }

  /** The races that `read` gave last. */
  get seen(): readonly RaceJson[] {
    return [...this.#seen.values()].map(({ json }) => json)
  }

  /** How long the truths of the races that `read` gives took. */
  get lateness(): readonly LatenessRow[] {
    return [...this.#seen.values()].flatMap(({ kept }) => kept.lateness)
  }

  /** The series of a race that `read` gives. */
  toSeries(race: number): RaceSeriesJson {
    return { schema: 'regatta/race-series/v1', race, points: this.#seen.get(race)?.points ?? [] }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#idle)
    await this.#looking?.catch(() => {})
  }

  #lookIn(ms: number): void {
    if (this.#timer !== undefined || this.#closed) return
    const wait = Math.max(ms, this.#restUntil - this.#options.clock())
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#lookOnce().then(
        // What came in during a look is not in it.
        () => this.#stale && this.#lookIn(this.#options.delayMs),
        error => {
          this.#options.logger.error({ code: 'RACE_WATCH', error: toErrorText(error) }, 'Cannot judge the races')
          this.#stale = true
          this.#lookIn(RETRY_MS)
        },
      )
    }, wait)
  }

  async #lookOnce(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    await this.#looking
  }

  async #look(): Promise<void> {
    const { store, clock } = this.#options
    const startedAt = clock()
    const turns = this.#turns
    this.#stale = false
    try {
      await store.ripen(startedAt)
      const races = await store.readRaces()
      const looks: Look[] = []
      for (const race of this.#toShown(races)) {
        const kept = this.#seen.get(race.id)?.kept ?? NOTHING_KEPT
        looks.push(await lookAt(this.#options, race, toComparisons(race, races), kept))
      }
      await this.#take(looks)
    } catch (error) {
      this.#stale = true
      throw error
    }
    const tookMs = clock() - startedAt
    const mayRest = tookMs > CHEAP_MS && turns === this.#turns
    this.#restUntil = mayRest ? clock() + tookMs / BUSY_SHARE : 0
  }

  async #take(looks: readonly Look[]): Promise<void> {
    const { onRace, onDecision, onLook } = this.#options
    const before = this.#seen
    const seen = new Map<number, Seen>()
    const running = looks.filter(({ race }) => race.ended === undefined)
    for (const look of looks) {
      const known = before.get(look.race.id)
      const points = await this.#addPoint(look, known?.points)
      const { kept, json } = look
      // An outlook moves with the clock: alone it is no news, and notes say nothing that is not elsewhere.
      seen.set(look.race.id, { json, text: JSON.stringify({ ...json, outlook: null, notes: [] }), points, kept })
    }
    this.#seen = toKept(seen)
    for (const { text, json } of seen.values()) if (text !== before.get(json.race)?.text) onRace(json)
    for (const { isFirst, json } of looks) if (isFirst) onDecision(json)
    for (const look of running) await onLook(look)
    clearTimeout(this.#idle)
    if (running.length > 0 && !this.#closed) this.#idle = setTimeout(() => this.touch(), this.#options.idleMs)
  }

  /** The races that run or have just ended; where none runs, the last one too. */
  #toShown(races: readonly StoredRace[]): readonly StoredRace[] {
    const last = races.some(({ ended }) => ended === undefined) ? undefined : races.at(-1)
    return races.filter(
      race => race.ended === undefined || race === last || this.#seen.get(race.id)?.json.ended === null,
    )
  }

  async #addPoint(look: Look, known: readonly RacePointJson[] | undefined): Promise<readonly RacePointJson[]> {
    const points = known ?? (await this.#readPoints(look))
    const point = toPoint(look.verdict, this.#options.clock())
    const last = points.at(-1)
    const isNew = last?.n !== point?.n || last?.estimate !== point?.estimate
    return point !== undefined && isNew ? addPoint(points, point) : points
  }

  /** The series before the first look, read back where the database can tell it in order. */
  async #readPoints({ race, cap, comparisons, verdict }: Look): Promise<readonly RacePointJson[]> {
    const { design, n: labels } = verdict
    const isLate = race.design === 'paired' && design !== 'clustered' && labels > 1 && labels <= MAX_REBUILT_LABELS
    return isLate ? await rebuildPoints(this.#options.store, race, comparisons, { labels, cap }) : []
  }
}

/** The races that run; where none does, the last. */
function toKept(seen: ReadonlyMap<number, Seen>): ReadonlyMap<number, Seen> {
  const running = [...seen].filter(([, { json }]) => json.ended === null)
  return new Map(running.length > 0 ? running : [...seen].slice(-1))
}
