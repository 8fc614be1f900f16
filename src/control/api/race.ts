import * as z from 'zod'
import type { Design } from '../../judge/index.ts'
import { count, digest, fraction, instant, params } from './parts.ts'
import { type TruthCountsJson, truthCounts } from './truth.ts'
import { type DecisionJson, decision, type VerdictJson, verdict } from './verdict.ts'

/**
 * `GET /api/v1/race`: the only race that runs, or the last one where none does; with several, the one named by
 * `?challenger=NAME`. 404 RACE_NONE before the first.
 */
export interface RaceJson {
  readonly schema: 'regatta/race/v1'
  readonly race: number
  readonly startedAt: string
  /** When and how it ended; null while it runs. */
  readonly ended: {
    readonly at: string
    /** `stopped`: by a guardrail or a lost ramp; `spent`: its budget, without a verdict. */
    readonly how: 'promoted' | 'replaced' | 'deleted' | 'stopped' | 'spent'
  } | null
  readonly task: string
  readonly loss: string
  readonly design: Design
  /** Age from which predictions are judged; 0: all with a truth. */
  readonly maturityMs: number
  /** The race's part of `race.alpha`, which it shares with the other races. */
  readonly alpha: number
  /** Races that share it: those declared (`race.challengers`) or those that ran at once, whichever is more. */
  readonly comparisons: number
  readonly variants: readonly ArmJson[]
  readonly verdict: VerdictJson
  /** What the challenger must keep, in the present epoch; empty where nothing is set. */
  readonly guardrails: readonly GuardrailJson[]
  /** Null where the challenger's share stays, or the race has ended. */
  readonly ramp: RampJson | null
  /** What was done about the race by itself, the earliest first. */
  readonly events: readonly RaceEventJson[]
  /** Truths taken in by this deployment, by what became of them. */
  readonly truths: TruthCountsJson
  /** Predictions of the race whose truth gives no loss: one that is not finite, or a truth of another kind. */
  readonly refused: number
  /** The first crossing, as it was written when it happened (its gates had all passed); null before. */
  readonly decision: DecisionJson | null
  /**
   * There is a decision, and no improvement fits the confidence sequences of all looks that could decide. The verdict's
   * state stays as decided, its figures are those of now.
   */
  readonly drift: boolean
  /** What is still missing for a verdict; null where there is one, or nothing to tell from. */
  readonly outlook: OutlookJson | null
  /** In words what else is worth knowing: what is mature, what is provisional, what is missing. */
  readonly notes: readonly NoteJson[]
}

/** `GET /api/v1/races`: the races that run, or the last one where none does. */
export interface RacesJson {
  readonly schema: 'regatta/races/v1'
  readonly races: readonly RaceJson[]
}

/** A variant of a race. */
export interface ArmJson {
  readonly name: string
  readonly version: number
  readonly digest: string
  readonly role: 'A' | 'B'
  readonly params: Readonly<Record<string, string | number | boolean>>
  readonly predictions: number
  /** Predictions that are judged: mature, with a truth that gives a loss. */
  readonly labels: number
  readonly meanLoss: number | null
  readonly maturity: MaturityJson
  /** How long truths took, from the prediction; null before the first. */
  readonly lateness: LatenessJson | null
}

/** Predictions of an arm that have come to the age of `race.maturity`, to the hour, and what younger ones say. */
export interface MaturityJson {
  readonly predictions: number
  /** Those of them with a truth, and those without. */
  readonly labelled: number
  readonly missing: number
  /** Truths that are here of predictions too young to be judged: fast ones, which may tell of one kind alone. */
  readonly provisional: { readonly labels: number; readonly meanLoss: number | null }
}

/** Durations of truths, ms, at most 9 % off. */
export interface LatenessJson {
  readonly medianMs: number
  readonly p95Ms: number
}

/** A limit that the challenger must keep. */
export interface GuardrailJson {
  readonly name: string
  /** `watching`: too few requests, or more than the limit found; `quiet`: the limit is kept; `breached`: it is not. */
  readonly state: 'watching' | 'quiet' | 'breached'
  readonly detail: string
}

/** Where a challenger is in its ramp. */
export interface RampJson {
  /** Rising shares of the requests, 0–1. */
  readonly steps: readonly number[]
  readonly weight: number
  /** What the next step waits for; null after the last. */
  readonly waitsFor: string | null
}

/** Something that control did about a race by itself. */
export interface RaceEventJson {
  readonly at: string
  readonly kind: 'step' | 'stopped' | 'spent' | 'promoted'
  readonly detail: string
}

/** How many labels a verdict needs, by even odds, and when they will be there if they come as they do now. */
export interface OutlookJson {
  /** The improvement that they would show, in units of the loss: the smallest that is wanted, or as it looks now. */
  readonly gain: number
  readonly from: 'min-gain' | 'estimate'
  /** In all, those that are there included; `high` is null where no number can be told. */
  readonly labels: { readonly low: number; readonly high: number | null }
  readonly labelsPerDay: number | null
  readonly expected: { readonly from: string | null; readonly to: string | null }
}

/** Something worth knowing about a race. */
export interface NoteJson {
  readonly name: string
  readonly detail: string
}

/** The shape of a race's end. */
export const ended = z.nullable(
  z.object({ at: instant, how: z.enum(['promoted', 'replaced', 'deleted', 'stopped', 'spent']) }),
)

/** The shape of the guardrails of a race. */
export const guardrails = z.array(
  z.object({ name: z.string(), state: z.enum(['watching', 'quiet', 'breached']), detail: z.string() }),
)

/** The shape of RaceEventJson. */
export const raceEvent = z.object({
  at: instant,
  kind: z.enum(['step', 'stopped', 'spent', 'promoted']),
  detail: z.string(),
})

const arm = z.object({
  name: z.string(),
  version: z.int(),
  digest,
  role: z.enum(['A', 'B']),
  params,
  predictions: count,
  labels: count,
  meanLoss: z.nullable(z.number()),
  maturity: z.object({
    ...{ predictions: count, labelled: count, missing: count },
    provisional: z.object({ labels: count, meanLoss: z.nullable(z.number()) }),
  }),
  lateness: z.nullable(z.object({ medianMs: z.number(), p95Ms: z.number() })),
})

const outlook = z.object({
  gain: z.number(),
  from: z.enum(['min-gain', 'estimate']),
  labels: z.object({ low: count, high: z.nullable(count) }),
  labelsPerDay: z.nullable(z.number()),
  expected: z.object({ from: z.nullable(instant), to: z.nullable(instant) }),
})

/** The shape of RaceJson. */
export const race: z.ZodType<RaceJson> = z.object({
  schema: z.literal('regatta/race/v1'),
  race: z.int(),
  startedAt: instant,
  ended,
  task: z.string(),
  loss: z.string(),
  design: z.enum(['paired', 'split', 'epochs', 'clustered', 'adjusted', 'dependent', 'bounded']),
  maturityMs: count,
  alpha: fraction,
  comparisons: z.int().min(1),
  variants: z.array(arm),
  verdict,
  guardrails,
  ramp: z.nullable(z.object({ steps: z.array(fraction), weight: fraction, waitsFor: z.nullable(z.string()) })),
  events: z.array(raceEvent),
  truths: truthCounts,
  refused: count,
  decision: z.nullable(decision),
  drift: z.boolean(),
  outlook: z.nullable(outlook),
  notes: z.array(z.object({ name: z.string(), detail: z.string() })),
})

/** The shape of RacesJson. */
export const races: z.ZodType<RacesJson> = z.object({ schema: z.literal('regatta/races/v1'), races: z.array(race) })
