import { isObject, toCanonicalJson } from '../core/json.ts'
import { build, type Sql, statement } from './sql.ts'
import type {
  Decision,
  NewRace,
  NewVariant,
  RaceEnd,
  RaceSpec,
  StoredEpoch,
  StoredRace,
  StoredVariant,
} from './store.ts'

/** Registers a variant under a new id, or under the one it had where that is free. */
export function addVariant(sql: Sql, { id, ...variant }: NewVariant): number {
  const isFree =
    id !== undefined && sql.get(build.selectFrom('variant').select('id').where('id', '=', id).compile()) === undefined
  return sql.run(
    build
      .insertInto('variant')
      .values(isFree ? { ...variant, id } : variant)
      .compile(),
  ).id
}

/** All variants that ever were. */
export function readVariants(sql: Sql): readonly StoredVariant[] {
  const rows = sql.all(build.selectFrom('variant').selectAll().orderBy('id').compile())
  // Names and digests were parsed before they came in.
  return rows.map(row => ({ ...row }) as StoredVariant)
}

/** Starts a race; the running one ends as replaced. The epoch opened last becomes its first where it fits. */
export function startRace(sql: Sql, { a, b, design, spec, startedAt }: NewRace): number {
  const ended = { ended_at: startedAt, ended_how: 'replaced' } as const
  sql.run(build.updateTable('race').set(ended).where('ended_at', 'is', null).compile())
  const row = { a, b, design, spec: toCanonicalJson(spec), started_at: startedAt }
  const { id } = sql.run(build.insertInto('race').values(row).compile())
  const last = readEpochs(sql).at(-1)
  if (last !== undefined && isEpochOf(last, { a, b, design })) {
    sql.run(build.updateTable('epoch').set({ race: id }).where('epoch', '=', last.epoch).compile())
  }
  return id
}

/** Ends a race unless it has ended. */
export function endRace(sql: Sql, race: number, at: number, how: RaceEnd): void {
  const ended = { ended_at: at, ended_how: how }
  sql.run(build.updateTable('race').set(ended).where('id', '=', race).where('ended_at', 'is', null).compile())
}

/** The running race, else the last one. */
export function readRace(sql: Sql): StoredRace | undefined {
  const row = sql.get(
    build
      .selectFrom('race')
      .selectAll()
      .orderBy(eb => eb('ended_at', 'is not', null))
      .orderBy('id', 'desc')
      .limit(1)
      .compile(),
  )
  return row === undefined ? undefined : toRace(row)
}

/** A race by its id. */
export function findRace(sql: Sql, id: number): StoredRace | undefined {
  const row = sql.get(build.selectFrom('race').selectAll().where('id', '=', id).compile())
  return row === undefined ? undefined : toRace(row)
}

/** Notes an epoch; it belongs to the running race where its weights are that race's. */
export function openEpoch(sql: Sql, { epoch, startedAt, weights }: StoredEpoch): void {
  const running = readRace(sql)
  const fits = running !== undefined && running.ended === undefined && isEpochOf({ weights }, running)
  const row = {
    epoch,
    race: fits ? running.id : null,
    started_at: startedAt,
    weights: toCanonicalJson(weights),
  }
  sql.run(
    build
      .insertInto('epoch')
      .values(row)
      .onConflict(conflict => conflict.doNothing())
      .compile(),
  )
}

/** All epochs in order. */
export function readEpochs(sql: Sql): readonly StoredEpoch[] {
  return sql
    .all(build.selectFrom('epoch').select(['epoch', 'started_at', 'weights']).orderBy('epoch').compile())
    .map(toEpoch)
}

/** The epochs of a race in order. */
export function readRaceEpochs(sql: Sql, race: number): readonly StoredEpoch[] {
  return sql.all(build.selectFrom('epoch').selectAll().where('race', '=', race).orderBy('epoch').compile()).map(toEpoch)
}

/** The race that an epoch's predictions belong to, or null. */
export function findRaceOfEpoch(sql: Sql, epoch: number): number | null {
  return sql.get(raceOfEpoch(epoch))?.race ?? null
}

/** Writes a race's decision unless it has one; returns the one on record. */
export function addDecision(sql: Sql, decision: Decision): Decision {
  const { logE, ...rest } = decision
  sql.run(
    build
      .insertInto('decision')
      .values({ ...rest, log_e: logE })
      .onConflict(conflict => conflict.doNothing())
      .compile(),
  )
  return readDecision(sql, decision.race) ?? decision
}

/** A race's decision. */
export function readDecision(sql: Sql, race: number): Decision | undefined {
  const row = sql.get(build.selectFrom('decision').selectAll().where('race', '=', race).compile())
  if (row === undefined) return undefined
  const { log_e: logE, ...rest } = row
  return { ...rest, logE }
}

/**
 * Whether an epoch's weights are those of a race: of a pair the champion answers and the challenger sees copies, of a
 * split both answer. After a promotion both may still be there, but the race is over.
 */
function isEpochOf({ weights }: Pick<StoredEpoch, 'weights'>, race: Pick<NewRace, 'a' | 'b' | 'design'>): boolean {
  const a = weights[race.a]
  const b = weights[race.b]
  if (a === undefined || b === undefined || a <= 0) return false
  return race.design === 'split' ? b > 0 : b === 0
}

interface RaceRow extends Omit<NewRace, 'spec' | 'startedAt'> {
  readonly id: number
  readonly spec: string
  readonly started_at: number
  readonly ended_at: number | null
  readonly ended_how: RaceEnd | null
}

function toRace({ id, a, b, design, spec, ...row }: RaceRow): StoredRace {
  const { started_at: startedAt, ended_at: at, ended_how: how } = row
  return {
    id,
    a,
    b,
    design,
    spec: parseSpec(spec),
    startedAt,
    ended: at === null || how === null ? undefined : { at, how },
  }
}

function toEpoch(row: { readonly epoch: number; readonly started_at: number; readonly weights: string }): StoredEpoch {
  return { epoch: row.epoch, startedAt: row.started_at, weights: parseWeights(row.weights) }
}

function parseSpec(text: string): RaceSpec {
  const value: unknown = JSON.parse(text)
  if (!isObject(value) || !isObject(value['loss'])) throw new Error(`The database holds no race rule: ${text}`)
  return value as unknown as RaceSpec
}

function parseWeights(text: string): Readonly<Record<number, number>> {
  const value: unknown = JSON.parse(text)
  if (!isObject(value)) throw new Error(`The database holds no weights: ${text}`)
  return value as Readonly<Record<number, number>>
}

const raceOfEpoch = statement<[number], { readonly race: number | null }>('select race from epoch where epoch = ?')
