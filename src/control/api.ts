import type { PredictedValue } from '../core/wire/records.ts'
import type { Design, VerdictState } from '../judge/index.ts'

/*
 * The JSON of control's API, version 1 (`/api/v1`). The page, the CLI and other people's programs read these
 * types and nothing else of control. Instants are ISO 8601 strings, durations are in the unit of their name.
 */

/** `GET /api/v1/status` */
export interface StatusJson {
  readonly schema: 'regatta/status/v1'
  readonly deployment: string
  readonly target: 'local' | 'kubernetes'
  readonly epoch: number
  /** Every wanted replica is ready. */
  readonly ready: boolean
  readonly gateway: {
    readonly url: string | null
    readonly grpcUrl: string | null
    readonly process: ProcessJson
    readonly droppedRecords: number
  }
  readonly variants: readonly VariantJson[]
  /** The races that run, or the last one where none does, as they were last looked at. */
  readonly races: readonly RaceSummaryJson[]
}

/** A race on one line. */
export interface RaceSummaryJson {
  readonly race: number
  readonly champion: string
  readonly challenger: string
  readonly state: VerdictState
  readonly reason: string
  readonly ended: RaceJson['ended']
  readonly guardrails: readonly GuardrailJson[]
  /** What was last done about it by itself; null where nothing was. */
  readonly lastEvent: RaceEventJson | null
}

export interface VariantJson {
  readonly name: string
  readonly version: number
  readonly digest: string
  readonly role: 'champion' | 'split' | 'shadow' | 'standby'
  /** 0–1 */
  readonly weight: number
  /** In the routes; false while its first replicas load. */
  readonly live: boolean
  readonly wantedReplicas: number
  readonly replicas: readonly ProcessJson[]
}

export interface ProcessJson {
  readonly name: string
  readonly state: 'starting' | 'ready' | 'failing' | 'stopping'
  readonly since: string
  readonly pid: number | null
  readonly restarts: number
  /** Stable code and sentence of a `failing` process, or of a `ready` replica that performs poorly. */
  readonly code: string | null
  readonly reason: string | null
}

/** `POST /api/v1/deploy`: answers when the plan is accepted; `status` and `events` tell when it is ready. */
export interface DeployRequestJson {
  readonly version: number
  readonly digest: string
  /** The variant's name; absent: the champion's (a new deployment calls it `race.champion` or "a"). */
  readonly variant?: string
  /** Absent: the version becomes or replaces the champion. */
  readonly challenger?:
    | { readonly mode: 'shadow' }
    | { readonly mode: 'split'; readonly weight: number }
    | { readonly mode: 'ramp' }
}
export interface DeployResponseJson {
  readonly schema: 'regatta/deploy/v1'
  readonly variant: string
  readonly version: number
  readonly digest: string
  readonly role: VariantJson['role']
  readonly epoch: number
  /** False where exactly this already ran. */
  readonly changed: boolean
}

/** `POST /api/v1/promote` (`{variant?}`; absent: the only challenger) and `POST /api/v1/rollback` (`{}`) */
export interface PromoteResponseJson {
  readonly schema: 'regatta/promote/v1'
  readonly champion: string
  readonly version: number
  readonly previous: string
  readonly epoch: number
}

/** `DELETE /api/v1/deployment`: answers when everything has stopped. */
export interface DeleteResponseJson {
  readonly schema: 'regatta/delete/v1'
  readonly deployment: string
  /** False where nothing was deployed. */
  readonly deleted: boolean
}

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

/** Something worth knowing about a race. */
export interface NoteJson {
  readonly name: string
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

/** `GET /api/v1/races`: the races that run, or the last one where none does. */
export interface RacesJson {
  readonly schema: 'regatta/races/v1'
  readonly races: readonly RaceJson[]
}

export interface GuardrailJson {
  readonly name: string
  /** `watching`: too few requests, or more than the limit found; `quiet`: the limit is kept; `breached`: it is not. */
  readonly state: 'watching' | 'quiet' | 'breached'
  readonly detail: string
}

export interface RampJson {
  /** Rising shares of the requests, 0–1. */
  readonly steps: readonly number[]
  readonly weight: number
  /** What the next step waits for; null after the last. */
  readonly waitsFor: string | null
}

export interface RaceEventJson {
  readonly at: string
  readonly kind: 'step' | 'stopped' | 'spent' | 'promoted'
  readonly detail: string
}

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

/** A verdict as it was written down. */
export interface DecisionJson extends VerdictJson {
  readonly at: string
  /** Digest of the race's rule; empty of a decision from before it was written down. */
  readonly spec: string
  /** Truths that had changed something by then. */
  readonly truthRevision: number
}

export interface VerdictJson {
  readonly state: VerdictState
  readonly reason: string
  /** Improvement of B over A in units of the loss, and its confidence sequence. */
  readonly estimate: number | null
  readonly lower: number | null
  readonly upper: number | null
  readonly se: number | null
  readonly labels: number
  readonly p: number
  readonly logE: number
  readonly gates: readonly { readonly name: string; readonly passed: boolean; readonly detail: string }[]
}

/**
 * `POST /truth`: one TruthJson or a JSON array of them, all or nothing; or NDJSON of any length, which is stored in
 * parts as it arrives. With `on-error=skip` items that are wrong are left out.
 */
export type TruthJson = {
  readonly value: number | string | boolean | readonly number[]
  readonly revision?: number
  readonly source?: string
} & ({ readonly prediction: string } | { readonly series: string; readonly at: string | number })
export interface TruthCountsJson {
  readonly new: number
  readonly duplicate: number
  readonly revised: number
  readonly stale: number
  readonly conflict: number
  readonly orphan: number
}

/** `GET /api/v1/race/series`: the improvement and its confidence sequence as labels came, at most 400 points. */
export interface RaceSeriesJson {
  readonly schema: 'regatta/race-series/v1'
  readonly race: number
  readonly points: readonly RacePointJson[]
}
export interface RacePointJson {
  /** Labels that counted. */
  readonly n: number
  /** Null for labels that came before control started: their order is then that of the times predicted for. */
  readonly at: string | null
  readonly estimate: number
  readonly lower: number | null
  readonly upper: number | null
}

/** The answer to `POST /truth`. */
export interface TruthResponseJson extends TruthCountsJson {
  readonly schema: 'regatta/truth/v1'
  /** Items that were wrong and left out (`on-error=skip`), and the first of them, at most 1000. */
  readonly refused: number
  readonly problems: readonly TruthProblemJson[]
}

/** An item that was wrong: `truth 3` of a JSON array, counted from 0, or `line 4` of NDJSON, counted from 1. */
export interface TruthProblemJson {
  readonly place: string
  readonly message: string
}

/** The answer to `POST /api/v1/records`: records that were new, and those of them whose truth was here already. */
export interface RecordsResponseJson {
  readonly schema: 'regatta/records-stored/v1'
  readonly added: number
  readonly joined: number
}

/** A line of `GET /api/v1/races/ID/outcomes`: one variant's prediction of one row, joined to its truth. */
export interface OutcomeJson {
  readonly request: string
  readonly row: number
  readonly variant: string
  readonly version: number
  readonly at: string
  readonly series: string | null
  readonly targetAt: string | null
  readonly prediction: PredictedValue
  readonly truth: PredictedValue
  /** Null where the truth gives none. */
  readonly loss: number | null
  /** The client got this answer. */
  readonly served: boolean
  /** Probability with which the variant was chosen, 0–1. */
  readonly propensity: number
  readonly epoch: number
  /** The row of the request and that of the answer; null where they are not logged (`race.log`), or too long. */
  readonly input: unknown
  readonly output: unknown
  /** A digest of whom the prediction is for. */
  readonly entity: string | null
  /** What was known before and goes with the loss. */
  readonly covariate: number | null
  /** Chance did not choose the variant. */
  readonly pinned: boolean
  /** The variant is the champion of this race. */
  readonly champion: boolean
}

/** `GET /api/v1/predictions/ID` */
export interface TraceJson {
  readonly schema: 'regatta/trace/v1'
  readonly prediction: string
  readonly at: string
  /** The served answer first, then the shadows'. */
  readonly answers: readonly TraceAnswerJson[]
  readonly truth: { readonly value: unknown; readonly revision: number } | null
}
export interface TraceAnswerJson {
  readonly variant: string
  readonly served: boolean
  readonly version: number
  readonly replica: string
  readonly prediction: unknown
  readonly loss: number | null
  readonly latencyMs: number
  readonly image: string
  /** Digest of the run record; null for a model that was packed with --model. */
  readonly run: string | null
  readonly runId: string | null
  readonly params: Readonly<Record<string, string | number | boolean>>
  readonly data: readonly { readonly path: string; readonly digest: string }[]
  readonly git: { readonly commit: string; readonly dirty: boolean } | null
}

/** Server-sent events of `GET /api/v1/events`: `event:` is the kind, `data:` the JSON. */
export type EventJson =
  | { readonly kind: 'status'; readonly status: StatusJson }
  | { readonly kind: 'race'; readonly race: RaceJson }
  | { readonly kind: 'decision'; readonly race: number; readonly verdict: VerdictJson }
  | { readonly kind: 'race-event'; readonly race: number; readonly event: RaceEventJson }

/** Every error of the API. */
export interface ErrorJson {
  readonly error: { readonly code: string; readonly message: string; readonly fix: string | null }
}
