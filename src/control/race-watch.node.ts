import type { Digest } from '../core/brands.ts'
import type { Clock } from '../core/clock.ts'
import { toErrorText } from '../core/errors.ts'
import type { Verdict } from '../judge/index.ts'
import type { Decision, Scoreboard, Store, StoredRace, StoredVariant } from '../store/index.ts'
import type { ArmJson, RaceJson, RacePointJson, RaceSeriesJson } from './api.ts'
import { type Arrival, noteArrival, toLabelsPerDay } from './arrivals.ts'
import type { Logger } from './logger.ts'
import { type Racer, toRaceJson } from './race-json.ts'
import { addPoint } from './series.ts'
import { isDecided, judge, needsDifferences, toDecision, toPoint, toRebuiltPoints } from './verdict.ts'

/** What the watch works with. */
export interface RaceWatchOptions {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  /** Time from new data to the next look, ms: what comes in between is judged at once. */
  readonly delayMs: number
  /** The parameters of an image's run. */
  readonly readParams: (image: Digest) => Promise<ArmJson['params']>
  /** Told of a race that looks different from before. */
  readonly onRace: (race: RaceJson) => void
  /** Told when the race's decision was just written. */
  readonly onDecision: (race: RaceJson) => void
}

/** A look that takes longer than this is not taken at every call, ms. */
const CHEAP_MS = 200
/** Share of the time that looking may take. */
const BUSY_SHARE = 0.1
const RETRY_MS = 1000
/** A series of more labels is not read back: that would hold up everything else for seconds. */
const MAX_REBUILT_LABELS = 200_000

/** Judges the running race when something has come in, and keeps its series. */
export class RaceWatch implements AsyncDisposable {
  readonly #options: RaceWatchOptions
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #stale = true
  #closed = false
  #restUntil = 0
  #turns = 0
  #race: RaceJson | undefined
  #shown = ''
  #points: readonly RacePointJson[] = []
  #arrivals: readonly Arrival[] = []

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
   * The race with everything that is in the database, or undefined before the first. Where looking takes long, at a
   * race with very many labels, it is the race as of the last look.
   */
  async read(): Promise<RaceJson | undefined> {
    if (this.#options.clock() < this.#restUntil) return this.#race
    // A look that is under way knows what came before it began; what came later has made it stale again.
    await this.#looking?.catch(() => {})
    if (this.#stale) await this.#lookOnce()
    return this.#race
  }

  /** The series of the race that was last looked at. */
  async readSeries(): Promise<RaceSeriesJson | undefined> {
    const race = await this.read()
    return race && { schema: 'regatta/race-series/v1', race: race.race, points: this.#points }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
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
          this.#options.logger.error({ code: 'RACE_WATCH', error: toErrorText(error) }, 'Cannot judge the race')
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
    const { store, clock, onRace, onDecision } = this.#options
    const startedAt = clock()
    const turns = this.#turns
    this.#stale = false
    try {
      const race = await store.readRace()
      const look = race && (await this.#judge(race))
      this.#race = look?.json
      // An outlook moves with the clock: alone it is no news.
      const shown = look && JSON.stringify({ ...look.json, outlook: null })
      if (look !== undefined && shown !== undefined && shown !== this.#shown) {
        this.#shown = shown
        onRace(look.json)
      }
      if (look?.isFirst) onDecision(look.json)
    } catch (error) {
      this.#stale = true
      throw error
    }
    const tookMs = clock() - startedAt
    const mayRest = tookMs > CHEAP_MS && turns === this.#turns
    this.#restUntil = mayRest ? clock() + tookMs / BUSY_SHARE : 0
  }

  async #judge(race: StoredRace): Promise<{ readonly json: RaceJson; readonly isFirst: boolean }> {
    const { store } = this.#options
    const board = await store.readScoreboard(race.id)
    const differences = needsDifferences(race) ? await store.readDifferences(race.id) : undefined
    const racers = await this.#readRacers(race)
    const verdict = judge(race, board, differences, toNames(racers, board))
    const { decision, isFirst } = await this.#decide(race, verdict)
    await this.#addPoint(race, verdict)
    const truths = await store.readTruthCounts()
    const arrived = this.#noteArrival(race, verdict)
    return { json: toRaceJson({ race, racers, board, verdict, decision, truths, ...arrived }), isFirst }
  }

  #noteArrival(race: StoredRace, { n: labels }: Verdict): { readonly labelsPerDay: number | undefined; now: number } {
    const now = { at: this.#options.clock(), labels }
    if (this.#race?.race !== race.id) this.#arrivals = []
    this.#arrivals = noteArrival(this.#arrivals, now)
    return { labelsPerDay: toLabelsPerDay(this.#arrivals, now, race.startedAt), now: now.at }
  }

  /** Reads the decision, or writes it where the race has just crossed. */
  async #decide(
    race: StoredRace,
    verdict: Verdict,
  ): Promise<{ readonly decision: Decision | undefined; readonly isFirst: boolean }> {
    const { store, clock, logger } = this.#options
    const known = await store.readDecision(race.id)
    if (known !== undefined || race.ended !== undefined || !isDecided(verdict.state))
      return { decision: known, isFirst: false }
    const decision = await store.addDecision(toDecision(race.id, clock(), verdict))
    logger.info({ ...decision }, 'The race is decided')
    return { decision, isFirst: true }
  }

  async #readRacers({ a, b }: StoredRace): Promise<readonly [Racer, Racer]> {
    const variants = await this.#options.store.readVariants()
    const read = async (id: number): Promise<Racer> => {
      const variant = variants.find(one => one.id === id)
      if (variant === undefined) throw new Error(`The database has a race of variant ${id}, which it does not know`)
      return { variant, params: await this.#readParams(variant) }
    }
    return [await read(a), await read(b)]
  }

  /** A race goes on without its parameters where the image was removed. */
  async #readParams({ name, digest }: StoredVariant): Promise<ArmJson['params']> {
    try {
      return await this.#options.readParams(digest)
    } catch (error) {
      this.#options.logger.warn({ variant: name, error: toErrorText(error) }, 'Cannot read the parameters of a variant')
      return {}
    }
  }

  async #addPoint(race: StoredRace, verdict: Verdict): Promise<void> {
    const point = toPoint(verdict, this.#options.clock())
    if (this.#race?.race !== race.id) {
      // The first look at this race: what came before is read back where the database can tell it in order.
      const isLate = race.design === 'paired' && verdict.n > 1 && verdict.n <= MAX_REBUILT_LABELS
      this.#points = isLate ? toRebuiltPoints(race, await this.#options.store.readDifferences(race.id)) : []
    }
    const last = this.#points.at(-1)
    const isNew = last?.n !== point?.n || last?.estimate !== point?.estimate
    if (point !== undefined && isNew) this.#points = addPoint(this.#points, point)
  }
}

function toNames([a, b]: readonly [Racer, Racer], board: Scoreboard): { a: string; b: string; meanLossA?: number } {
  const { count, mean } = board.arms[0].loss
  return { a: a.variant.name, b: b.variant.name, ...(count > 0 && { meanLossA: mean }) }
}
