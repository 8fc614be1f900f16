import { UsageError } from '../../core/errors.ts'
import { type RateRatio, toRateRatio, toWinRate, type WinRate } from '../guardrails/rates.ts'
import type { Evidence } from '../verdict/evidence.ts'
import { addLook, emptyHistory, type RaceHistory } from '../verdict/history.ts'
import type { RaceRule, Verdict } from '../verdict/race.ts'
import { type RaceSettings, toRaceRule } from '../verdict/rule.ts'
import { judgeRace } from '../verdict/verdict.ts'
import type { Roles } from './arm-epoch.ts'
import { ArmSums } from './arms.ts'
import { toLossName } from './names.ts'
import { Ordering } from './ordering.ts'
import { Pairing } from './pairing.ts'
import { type Pair, PairSums } from './pairs.ts'
import type { OutcomeRow } from './row.ts'

/** What a replay is made with. */
export interface ReplaySettings extends RaceSettings {
  /** Undefined: the first variant of the file. */
  readonly champion: string | undefined
  /** Digest of the race's rule, for the decision. */
  readonly spec: string
}

/** What a race would have said at one point. */
export interface ReplayLook {
  readonly roles: { readonly a: string | undefined; readonly b: string | undefined }
  readonly rule: RaceRule
  readonly verdict: Verdict
  readonly history: RaceHistory
  /** Labels that count: pairs, or those of both arms. */
  readonly labels: number
  readonly means: { readonly a: number | undefined; readonly b: number | undefined }
  readonly evidence: Evidence
  /** Of pairs that do not depend on each other. */
  readonly winRate: WinRate | undefined
  /** Of a split with weights and losses that are mostly zero. */
  readonly rateRatio: RateRatio | undefined
  /** Rows of a race of pairs that found no partner. */
  readonly unpaired: number
}

/** What all rows have or none has. */
type Shape = Readonly<Partial<Record<'entity' | 'covariate' | 'at', boolean>>>

/** Rows without a pair among them after which a race is taken for a split. */
const SPLIT_ROWS = 1000

/**
 * Runs a race over rows that somebody kept, as if they came in now, with the judge that runs live. Rows of one request
 * are a pair: with the first the race is one of pairs, and without one among many rows it is one of two arms. It looks
 * after every label. Memory does not grow with the rows, but with the entities.
 */
export class Replay {
  readonly #settings: ReplaySettings
  readonly #pairing = new Pairing()
  readonly #ordering = new Ordering<Pair>()
  readonly #roles: { a: string | undefined; b: string | undefined } = { a: undefined, b: undefined }
  #shape: Shape | undefined
  #arms: ArmSums | undefined
  #pairs: PairSums | undefined
  /** Rows that tell neither a split nor pairs yet. */
  #undecided: OutcomeRow[] = []
  #given = false
  #isExport = false
  #hasEntities = false
  #history = emptyHistory
  /** Time of the last label that counted. */
  #at: number | null = null

  constructor(settings: ReplaySettings) {
    this.#settings = settings
  }

  /** Takes the next row; yields after each label that counts. @throws OUTCOME_ROW, OUTCOME_ORDER, OUTCOME_EPOCH, … */
  *add(row: OutcomeRow): Generator<void> {
    const arm = this.#toArm(row)
    this.#checkShape(row)
    this.#given ||= row.given
    const partner = row.terms === undefined ? undefined : this.#pairing.match(row)
    if (partner === undefined) yield* this.#addSingle(row)
    else {
      const [a, b] = arm === 'a' ? [row, partner] : [partner, row]
      yield* this.#addPair(a, b)
    }
  }

  /** Takes in what waits for its turn at the end of the file. */
  *finish(): Generator<void> {
    if (this.#pairs === undefined) yield* this.#judgeArms()
    for (const pair of this.#ordering.flush()) yield* this.#judgePair(pair)
  }

  /** Labels that count so far. */
  get labels(): number {
    if (this.#pairs !== undefined) return this.#pairs.counts.pairs
    const { a, b } = this.#arms?.counts ?? { a: 0, b: 0 }
    return a + b
  }

  /** What the judge says now. */
  verdict(): Verdict {
    return this.#judge(this.#toEvidence())
  }

  /** What the race says now, as a look that is remembered. */
  look(): ReplayLook {
    const { alpha } = this.#settings
    const verdict = this.verdict()
    this.#addLook(verdict)
    const pairs = this.#pairs?.counts
    const rates = this.#pairs === undefined ? (this.#arms?.toRateEpochs() ?? []) : []
    const evidence = this.#toEvidence()
    return {
      roles: this.#roles,
      rule: this.#toRule(),
      verdict,
      history: this.#history,
      labels: this.labels,
      means: this.#pairs?.means ?? this.#arms?.means ?? { a: undefined, b: undefined },
      evidence,
      winRate: pairs === undefined || !this.#isIndependent() ? undefined : toWinRate(pairs.wins, pairs.losses, alpha),
      rateRatio: rates.length > 0 && this.#isMostlyZero() ? toRateRatio(rates, alpha) : undefined,
      unpaired: this.#pairs === undefined ? 0 : this.#pairing.unpaired,
    }
  }

  *#addSingle(row: OutcomeRow): Generator<void> {
    if (this.#pairs !== undefined) return
    this.#undecided.push(row)
    if (this.#arms !== undefined || this.#undecided.length >= SPLIT_ROWS) yield* this.#judgeArms()
  }

  *#judgeArms(): Generator<void> {
    const rows = this.#undecided
    this.#undecided = []
    this.#arms ??= new ArmSums(this.#settings)
    for (const row of rows) {
      const arm = row.variant === this.#roles.a ? 'a' : 'b'
      if (this.#arms.add(row, arm, this.#toRoles())) yield this.#remember(row.at)
    }
  }

  *#addPair(a: OutcomeRow, b: OutcomeRow): Generator<void> {
    if (a.terms === undefined || b.terms === undefined) return
    if (this.#pairs === undefined) {
      this.#pairs = new PairSums(this.#settings)
      this.#arms = undefined
      this.#undecided = []
      this.#history = emptyHistory
    }
    this.#checkPair(a, b)
    const pair = { a: a.terms, b: b.terms, at: a.at, entity: a.entity }
    const ready = this.#settings.task === 'forecast' ? this.#ordering.add(pair) : [pair]
    for (const next of ready) yield* this.#judgePair(next)
  }

  *#judgePair(pair: Pair): Generator<void> {
    if (this.#pairs?.add(pair) === true) yield this.#remember(pair.at)
  }

  #remember(at: number | undefined): void {
    this.#at = at ?? null
    const verdict = this.verdict()
    // What no gate lets decide is remembered where somebody sees it, in `look`.
    if (verdict.gates.every(gate => gate.passed)) this.#addLook(verdict)
  }

  #addLook(verdict: Verdict): void {
    const stamp = { at: this.#at, spec: this.#settings.spec, truthRevision: this.labels }
    this.#history = addLook(this.#history, verdict, stamp)
  }

  #judge(evidence: Evidence): Verdict {
    const { a = 'A', b = 'B' } = this.#roles
    const meanLossA = (this.#pairs ?? this.#arms)?.means?.a
    const loss = this.#given ? 'mean loss' : toLossName(this.#settings.loss)
    return judgeRace(this.#toRule(), evidence, { a, b, loss, ...(meanLossA === undefined ? {} : { meanLossA }) })
  }

  #toEvidence(): Evidence {
    return this.#pairs?.toEvidence() ?? this.#arms?.toEvidence() ?? { kind: 'split', epochs: [] }
  }

  #toRule(): RaceRule {
    return toRaceRule(this.#settings, this.#pairs === undefined ? 'split' : 'paired')
  }

  #isMostlyZero(): boolean {
    const evidence = this.#toEvidence()
    if (evidence.kind !== 'split') return false
    return evidence.epochs.every(({ a, b, eventsA, eventsB }) => eventsA <= a.count / 2 && eventsB <= b.count / 2)
  }

  /** Labels of a series, and of an entity, come in runs: counts of them say more than they know. */
  #isIndependent(): boolean {
    return this.#settings.task !== 'forecast' && !this.#hasEntities
  }

  /** Which arm a variant is. @throws OUTCOME_VARIANT at a third */
  #toArm({ draw, variant }: OutcomeRow): 'a' | 'b' {
    // An export tells who was the champion of its race, whoever the configuration says is the first one.
    if (draw?.arm === undefined) this.#roles.a ??= this.#settings.champion ?? variant
    else this.#roles[draw.arm] ??= variant
    if (variant === this.#roles.a) return 'a'
    this.#roles.b ??= variant
    if (variant === this.#roles.b) return 'b'
    const { a, b } = this.#roles
    throw new UsageError('OUTCOME_VARIANT', `Cannot replay a third variant "${variant}" beside "${a}" and "${b}"`, {
      fix: 'Replay the champion and one challenger at a time, each with race.alpha divided by the number of challengers',
    })
  }

  #toRoles(): Roles {
    return { a: this.#roles.a ?? '', b: this.#roles.b }
  }

  /** @throws OUTCOME_ROW where the two rows are about different things */
  #checkPair(a: OutcomeRow, b: OutcomeRow): void {
    const isTimed = this.#settings.task === 'forecast'
    if (a.entity === b.entity && a.series === b.series && (!isTimed || a.at === b.at)) return
    throw new UsageError('OUTCOME_ROW', `Cannot pair the rows of request "${a.request}": they are not about the same`, {
      fix: 'Give both rows of a request the same entity, series and at, or a request each',
    })
  }

  #checkShape({ entity, covariate, at, draw }: OutcomeRow): void {
    this.#isExport ||= draw !== undefined
    this.#hasEntities ||= entity !== undefined
    const timed = this.#settings.task === 'forecast' ? { at: at !== undefined } : {}
    const shape: Shape = { entity: entity !== undefined, covariate: covariate !== undefined, ...timed }
    this.#shape ??= shape
    for (const key of ['entity', 'covariate', 'at'] as const) {
      // A live race may begin to know them in its midst: what it makes of that, a replay does, too.
      if (shape[key] === this.#shape[key] || (key !== 'at' && this.#isExport)) continue
      const [found, wanted] = shape[key] === true ? ['a row with', 'none'] : ['a row without', 'all']
      throw new UsageError('OUTCOME_ROW', `Cannot take ${found} ${key}: expected ${wanted} of the rows to have one`, {
        fix: `Give every row "${key}", or no row`,
      })
    }
  }
}
