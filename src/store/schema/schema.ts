import type { Generated } from 'kysely'

/*
 * The tables, the same in both databases, as the newest version of the schema has them. Instants are epoch ms, flags are 0 or 1, values of
 * predictions and truths are JSON texts. A request's UUIDv7 sorts by time: a day of requests is a range of keys.
 */
export interface Schema {
  readonly variant: VariantTable
  readonly race: RaceTable
  readonly epoch: EpochTable
  readonly epoch_race: EpochRaceTable
  readonly answer: AnswerTable
  readonly prediction: PredictionTable
  readonly truth: TruthTable
  readonly observation: ObservationTable
  readonly conflict: ConflictTable
  readonly aggregate: AggregateTable
  readonly cross_sum: CrossSumTable
  readonly cluster: ClusterTable
  readonly tally: TallyTable
  readonly histogram: HistogramTable
  readonly maturity: MaturityTable
  readonly pair: PairTable
  readonly pair_change: PairChangeTable
  readonly calibration: CalibrationTable
  readonly body: BodyTable
  readonly history: HistoryTable
  readonly entity: EntityTable
  readonly counter: CounterTable
  readonly decision: DecisionTable
  readonly race_event: RaceEventTable
  readonly deployment_change: DeploymentChangeTable
}

interface DeploymentChangeTable {
  epoch: number
  at: number
  kind: string
  actor: string
  reason: string
  /** JSON. */
  variants: string
}

interface VariantTable {
  id: Generated<number>
  name: string
  version: number
  digest: string
  at: number
}

interface RaceTable {
  id: Generated<number>
  a: number
  b: number
  design: 'paired' | 'split'
  spec: string
  started_at: number
  ended_at: number | null
  ended_how: 'promoted' | 'replaced' | 'deleted' | 'stopped' | 'spent' | null
  /** Losses are kept between −cap and cap; null without a cap, and while the first labels set it. */
  cap: number | null
}

/** `race` was that of the epoch's predictions before there could be several (`epoch_race`). */
interface EpochTable {
  epoch: number
  race: number | null
  started_at: number
  weights: string
}

/** The races that an epoch's predictions belong to. */
interface EpochRaceTable {
  epoch: number
  race: number
}

/** One row per record (its `race` is null since there can be several): what one variant did with one request. */
interface AnswerTable {
  request: string
  variant: number
  epoch: number
  race: number | null
  at: number
  served: number
  propensity: number
  pinned: number
  status: number
  latency_us: number
  replica: string
  error: string | null
}

/** One row per predicted row. `state` is one of `STATE`; `loss` is there where it is `counted`, or `young`. */
interface PredictionTable {
  request: string
  row: number
  variant: number
  series: string | null
  target_at: number | null
  value: string
  state: number
  loss: number | null
  /** Whom it is for, as a digest. */
  entity: string | null
  /** What was known of the row before any variant answered, for a covariate of its loss. */
  covariate: number | null
  /** Size of the truth that `loss` was computed from: its absolute value, of a list the mean; null of other kinds. */
  weight: number | null
}

/**
 * What is known of a prediction: no truth yet, a loss that counts, a truth that gives none, one that came while the cap
 * of the losses was not set, or one that waits for the prediction to be mature.
 */
export const STATE = { waiting: 0, counted: 1, refused: 2, calibrating: 3, young: 4 } as const

interface TruthColumns {
  value: string
  revision: number
  source: string | null
  received_at: number
  /** 0 while no prediction has come for it. */
  joined: number
}
interface TruthTable extends TruthColumns {
  request: string
  row: number
}
interface ObservationTable extends TruthColumns {
  series: string
  at: number
}

/** Truths that were refused because another value had come with the same revision. */
interface ConflictTable {
  subject: string
  revision: number
  refused: string
  kept: string
  source: string | null
  at: number
}

/**
 * Moments of losses, one row per race, epoch, part, variant (0 for pairs) and day of the requests. A row of day −1
 * sums what was pruned of days that were not pruned whole.
 */
interface AggregateTable {
  race: number
  epoch: number
  part: AggregatePart
  variant: number
  day: number
  count: number
  mean: number
  m2: number
  /** Largest `m2` since the row was last computed from its data: digits are lost where `m2` falls far below it. */
  peak: number
  /** Numbers other than zero, and those of them that are positive. */
  events: number
  above: number
  /** Of pairs and of what chance drew: the smallest and the largest number, and how often each is there (`ends.ts`). */
  low: number
  lows: number
  high: number
  highs: number
}

/**
 * Which losses are summed: of answers that chance drew and the client got, of other answers, differences of pairs, or
 * of predictions too young to be judged, which count nowhere else.
 */
export type AggregatePart = 'drawn' | 'other' | 'pair' | 'young'

/**
 * Moments of two numbers that come together, x and y, and the sum of the products of their deviations (`xy`); keys as
 * those of aggregates. `peak_x` and `peak_y` are the largest `m2_x` and `m2_y` since the row was last computed.
 */
interface CrossSumTable {
  race: number
  epoch: number
  part: CrossPart
  variant: number
  day: number
  count: number
  mean_x: number
  mean_y: number
  m2_x: number
  m2_y: number
  xy: number
  peak_x: number
  peak_y: number
  /** Labels in the units that are counted, units whose y is not 0, and the largest square of what y / x leaves of one. */
  labels: number
  events: number
  far: number
}

/**
 * Which numbers come together: a prediction's covariate and its loss (`covariate`), the size of its truth and its loss
 * (`ratio`; of a pair `ratio-pair`, with variant 0), or the weight of an entity's labels and what it lost (`cluster`, of
 * day 0; of pairs, of epoch and variant 0). The first two and the last are of answers that chance drew, or of pairs.
 */
export type CrossPart = 'covariate' | 'ratio' | 'ratio-pair' | 'cluster'

/**
 * Labels and losses of one entity: the sum is `sum` + `rest`, of which the second is what the first cannot hold. The
 * same of their weights, which are 1 but for a loss per size of the truth.
 */
interface ClusterTable {
  race: number
  epoch: number
  variant: number
  entity: string
  count: number
  sum: number
  rest: number
  weight: number
  weight_rest: number
}

/** Counts per race, epoch and variant. */
interface TallyTable {
  race: number
  epoch: number
  variant: number
  predictions: number
  drawn: number
  repeated: number
  refused: number
  /** Records, and those of them whose HTTP status is not 2xx. */
  answers: number
  errors: number
  /** Losses that are at the cap. */
  capped: number
}

/** Counts of durations (`durations.ts`): of answers' latencies, or of how long truths were waited for. */
interface HistogramTable {
  race: number
  epoch: number
  name: 'latency' | 'lateness'
  variant: number
  bucket: number
  count: number
}

/** Predictions of an hour of requests, and those of them whose truth is here. */
interface MaturityTable {
  race: number
  epoch: number
  variant: number
  hour: number
  predictions: number
  labelled: number
}

/** Loss A − loss B of one row, its weight, and the time that it is for. */
interface PairTable {
  race: number
  at: number
  request: string
  row: number
  difference: number
  weight: number
}

/** The first pair, in the order of time, that a transaction changed; `change` counts a race's transactions. */
interface PairChangeTable {
  race: number
  change: number
  at: number
  request: string
  row: number
}

/** A row of a request, beside the answer that was served, and a row of an answer, as JSON, where they are logged. */
interface BodyTable {
  request: string
  row: number
  variant: number
  input: string | null
  output: string | null
}

/** The champion's losses that set the cap of a race, while they do. */
interface CalibrationTable {
  race: number
  request: string
  row: number
  loss: number
}

/** What is remembered of the looks at a race: the smallest p, and where the bounds of those that may decide overlap. */
interface HistoryTable {
  race: number
  p: number
  lower: number | null
  upper: number | null
  ready: number
}

/** Entities that an epoch has seen, as digests. */
interface EntityTable {
  epoch: number
  entity: string
}

interface CounterTable {
  name: string
  value: number
}

interface DecisionTable {
  race: number
  at: number
  state: string
  reason: string
  n: number
  estimate: number
  se: number
  lower: number
  upper: number
  log_e: number
  p: number
  /** Digest of the race's rule, and how many truths had changed anything by then. */
  spec: string
  truth_revision: number
}

interface RaceEventTable {
  id: Generated<number>
  race: number
  at: number
  kind: 'step' | 'stopped' | 'spent' | 'promoted'
  detail: string
}
