import type { Guardrail, Verdict } from '../../judge/index.ts'
import type { Arm, Decision, RaceEvent, Scoreboard, StoredRace, StoredVariant, TruthCounts } from '../../store/index.ts'
import type { ArmJson, RaceEventJson, RaceJson, RampJson } from '../api/race.ts'
import type { RaceSummaryJson } from '../api/status.ts'
import type { Placed } from '../deployment/deployment.ts'
import { type Ages, toLatenessJson, toMaturityJson } from './maturity.ts'
import { toRaceNotes } from './notes.ts'
import { toOutlook } from './outlook.ts'
import type { RampMove } from './ramp.ts'
import { toLossText } from './rule.ts'
import { type Shown, toDecisionJson } from './verdict.ts'

/** A variant of a race, with the parameters of the run that it comes from. */
export interface Racer {
  readonly variant: StoredVariant
  readonly params: ArmJson['params']
}

/** What a race's JSON is made of. */
export interface RaceFacts {
  readonly race: StoredRace
  readonly comparisons: number
  readonly racers: readonly [Racer, Racer]
  readonly board: Scoreboard
  readonly meanLosses: readonly [number | undefined, number | undefined]
  readonly verdict: Verdict
  readonly shown: Shown
  readonly decision: Decision | undefined
  readonly guardrails: readonly Guardrail[]
  readonly placed: Placed | undefined
  readonly move: RampMove | undefined
  readonly events: readonly RaceEvent[]
  readonly truths: TruthCounts
  readonly ages: Ages
  readonly labelsPerDay: number | undefined
  /** The configuration has another rule by now. */
  readonly isOtherRule: boolean
  /** Epoch ms. */
  readonly now: number
}

/** Everything that is known of a race. */
export function toRaceJson(facts: RaceFacts): RaceJson {
  const { race, comparisons, racers, board, meanLosses, verdict, shown, decision, guardrails, events, truths } = facts
  const { labelsPerDay, now } = facts
  const { task, loss, alpha, maturityMs } = race.spec
  const [a, b] = racers
  const json: Omit<RaceJson, 'notes'> = {
    schema: 'regatta/race/v1',
    race: race.id,
    startedAt: toIso(race.startedAt),
    ended: race.ended === undefined ? null : { at: toIso(race.ended.at), how: race.ended.how },
    task,
    loss: toLossText(loss),
    design: verdict.design,
    maturityMs,
    alpha: alpha / comparisons,
    comparisons,
    variants: [
      { ...toArm('A', a, board.arms[0], facts.ages), meanLoss: meanLosses[0] ?? null },
      { ...toArm('B', b, board.arms[1], facts.ages), meanLoss: meanLosses[1] ?? null },
    ],
    ...shown,
    guardrails,
    ramp: toRamp(facts),
    events: events.map(toEventJson),
    truths,
    refused: board.refused,
    decision: decision === undefined ? null : toDecisionJson(decision),
    outlook:
      race.ended === undefined && decision === undefined
        ? toOutlook({ spec: { ...race.spec, alpha: alpha / comparisons }, verdict, labelsPerDay, now })
        : null,
  }
  return { ...json, notes: toRaceNotes(json, facts.isOtherRule) }
}

/** A race on one line. */
export function toRaceSummary({ race, variants, verdict, ended, guardrails, events }: RaceJson): RaceSummaryJson {
  const [champion = '', challenger = ''] = variants.map(({ name }) => name)
  const { state, reason } = verdict
  return { race, champion, challenger, state, reason, ended, guardrails, lastEvent: events.at(-1) ?? null }
}

function toRamp({ placed, move }: RaceFacts): RampJson | null {
  if (placed?.challenger.ramp === undefined) return null
  const { ramp: steps, weight } = placed.challenger
  return { steps, weight, waitsFor: move?.kind === 'hold' ? move.reason : null }
}

/** What was done about a race, as JSON. */
export function toEventJson({ at, kind, detail }: Omit<RaceEvent, 'race'>): RaceEventJson {
  return { at: toIso(at), kind, detail }
}

function toArm(role: ArmJson['role'], { variant, params }: Racer, arm: Arm, ages: Ages): Omit<ArmJson, 'meanLoss'> {
  const { name, version, digest } = variant
  return {
    ...{ name, version, digest, role, params },
    predictions: arm.predictions,
    labels: arm.loss.count,
    maturity: toMaturityJson(ages, variant.id, arm.young),
    lateness: toLatenessJson(ages, variant.id),
  }
}

function toIso(at: number): string {
  return new Date(at).toISOString()
}
