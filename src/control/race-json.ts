import type { Verdict } from '../judge/index.ts'
import type { Arm, Decision, Scoreboard, StoredRace, StoredVariant, TruthCounts } from '../store/index.ts'
import type { ArmJson, RaceJson } from './api.ts'
import { toOutlook } from './outlook.ts'
import { toLossText } from './race-rule.ts'
import { toDecisionJson, toShown } from './verdict.ts'

/** A variant of a race, with the parameters of the run that it comes from. */
export interface Racer {
  readonly variant: StoredVariant
  readonly params: ArmJson['params']
}

/** What a race's JSON is made of. */
export interface RaceFacts {
  readonly race: StoredRace
  readonly racers: readonly [Racer, Racer]
  readonly board: Scoreboard
  readonly verdict: Verdict
  readonly decision: Decision | undefined
  readonly truths: TruthCounts
  readonly labelsPerDay: number | undefined
  /** Epoch ms. */
  readonly now: number
}

/** Everything that is known of a race. */
export function toRaceJson(facts: RaceFacts): RaceJson {
  const { race, racers, board, verdict, decision, truths, labelsPerDay, now } = facts
  const { task, loss, alpha } = race.spec
  const [a, b] = racers
  return {
    schema: 'regatta/race/v1',
    race: race.id,
    startedAt: toIso(race.startedAt),
    ended: race.ended === undefined ? null : { at: toIso(race.ended.at), how: race.ended.how },
    task,
    loss: toLossText(loss),
    design: verdict.design,
    alpha,
    variants: [toArm('A', a, board.arms[0]), toArm('B', b, board.arms[1])],
    ...toShown(verdict, decision, race.ended !== undefined),
    truths,
    decision: decision === undefined ? null : toDecisionJson(decision),
    outlook:
      race.ended === undefined && decision === undefined
        ? toOutlook({ spec: race.spec, verdict, labelsPerDay, now })
        : null,
  }
}

function toArm(role: ArmJson['role'], { variant, params }: Racer, arm: Arm): ArmJson {
  const { name, version, digest } = variant
  const { count: labels, mean } = arm.loss
  return {
    name,
    version,
    digest,
    role,
    params,
    predictions: arm.predictions,
    labels,
    meanLoss: labels === 0 ? null : mean,
  }
}

function toIso(at: number): string {
  return new Date(at).toISOString()
}
