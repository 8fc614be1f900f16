import { isObject, toCanonicalJson } from '../core/json.ts'
import type { NewVariant, StoredEpoch, StoredVariant } from './facts/deployment.ts'
import type { Decision, LookMemory, NewRace, RaceEnd, RaceEvent, RaceSpec, StoredRace } from './facts/race.ts'
import { bulk, type Sql, statement } from './sql.ts'
import { shareCap } from './sums/caps.ts'

/** Registers a variant under a new id, or under the one it had where that is free. */
export async function addVariant(sql: Sql, { id, ...given }: NewVariant): Promise<number> {
  const { name, version, digest, at } = given
  const variant = { name, version, digest, at }
  const insert = async (id: number): Promise<number | undefined> => {
    const query = sql.build.insertInto('variant').values({ ...variant, id })
    return (
      await sql.get(
        query
          .onConflict(conflict => conflict.doNothing())
          .returning('id')
          .compile(),
      )
    )?.id
  }
  let added = id === undefined ? undefined : await insert(id)
  // Another writer may take the same id at the same time: then the next one is free.
  while (added === undefined) {
    const { last } = (await sql.get(findLastVariant())) ?? { last: 0 }
    added = await insert(last + 1)
  }
  return added
}

/** All variants that ever were. */
export async function readVariants(sql: Sql): Promise<readonly StoredVariant[]> {
  const rows = await sql.all(sql.build.selectFrom('variant').selectAll().orderBy('id').compile())
  // Names and digests were parsed before they came in.
  return rows.map(row => ({ ...row }) as StoredVariant)
}

/** Starts a race beside those that run. The epoch opened last becomes its first where it fits. */
export async function startRace(sql: Sql, { a, b, design, spec, startedAt }: NewRace): Promise<number> {
  const row = { a, b, design, spec: toCanonicalJson(spec), started_at: startedAt }
  const id = toId(await sql.get(sql.build.insertInto('race').values(row).returning('id').compile()))
  if (spec.cap !== undefined) await shareCap(sql, id)
  const last = (await readEpochs(sql)).at(-1)
  if (last !== undefined && isEpochOf(last, { a, b, design })) await sql.run(addEpochRace(last.epoch, id))
  return id
}

/** Ends a race unless it has ended. */
export async function endRace(sql: Sql, race: number, at: number, how: RaceEnd): Promise<void> {
  const ended = { ended_at: at, ended_how: how }
  await sql.run(sql.build.updateTable('race').set(ended).where('id', '=', race).where('ended_at', 'is', null).compile())
}

/** The running race, else the last one. */
export async function readRace(sql: Sql): Promise<StoredRace | undefined> {
  const row = await sql.get(
    sql.build
      .selectFrom('race')
      .selectAll()
      .orderBy(eb => eb('ended_at', 'is not', null))
      .orderBy('id', 'desc')
      .limit(1)
      .compile(),
  )
  return row === undefined ? undefined : toRace(row)
}

/** A race by its id, with its epochs in order. @throws where there is none */
export async function findRace(
  sql: Sql,
  id: number,
): Promise<{ readonly race: StoredRace; readonly epochs: readonly StoredEpoch[] }> {
  const rows = await sql.all(listRaceEpochs(id))
  const [row] = rows
  if (row === undefined) throw new Error(`There is no race ${id}`)
  const epochs = rows.flatMap(({ epoch, epoch_at: started_at, weights }) =>
    epoch === null ? [] : [toEpoch({ epoch, started_at, weights })],
  )
  return { race: toRace(row), epochs }
}

/** Every race in the order of their starts. */
export async function readRaces(sql: Sql): Promise<readonly StoredRace[]> {
  return (await sql.all(sql.build.selectFrom('race').selectAll().orderBy('id').compile())).map(toRace)
}

/** Notes an epoch; it belongs to the running races whose weights are its. */
export async function openEpoch(sql: Sql, { epoch, startedAt, weights }: StoredEpoch): Promise<void> {
  const row = { epoch, race: null, started_at: startedAt, weights: toCanonicalJson(weights) }
  const added = await sql.run(
    sql.build
      .insertInto('epoch')
      .values(row)
      .onConflict(conflict => conflict.doNothing())
      .compile(),
  )
  if (added === 0) return
  for (const race of await readRaces(sql))
    if (race.ended === undefined && isEpochOf({ weights }, race)) await sql.run(addEpochRace(epoch, race.id))
}

/** All epochs in order. */
export async function readEpochs(sql: Sql): Promise<readonly StoredEpoch[]> {
  const query = sql.build.selectFrom('epoch').select(['epoch', 'started_at', 'weights']).orderBy('epoch')
  return (await sql.all(query.compile())).map(toEpoch)
}

/** The races that epochs' predictions belong to; an epoch without one is left out. */
export async function readRacesOfEpochs(
  sql: Sql,
  epochs: Iterable<number>,
): Promise<ReadonlyMap<number, readonly StoredRace[]>> {
  const found = await sql.bulk(
    findRaces,
    [...epochs].map(epoch => ({ epoch })),
  )
  const races = new Map<number, StoredRace[]>()
  for (const { epoch, ...row } of found) races.set(epoch, [...(races.get(epoch) ?? []), toRace(row)])
  return races
}

/** Whether a variant is one of the two of a race. */
export function isRacer({ a, b }: StoredRace, variant: number): boolean {
  return variant === a || variant === b
}

/** Writes a race's decision unless it has one; returns the one on record. */
export async function addDecision(sql: Sql, decision: Decision): Promise<Decision> {
  const { logE, truthRevision, ...rest } = decision
  await sql.run(
    sql.build
      .insertInto('decision')
      .values({ ...rest, log_e: logE, truth_revision: truthRevision })
      .onConflict(conflict => conflict.doNothing())
      .compile(),
  )
  return (await readDecision(sql, decision.race)) ?? decision
}

/** A race's decision. */
export async function readDecision(sql: Sql, race: number): Promise<Decision | undefined> {
  const row = await sql.get(sql.build.selectFrom('decision').selectAll().where('race', '=', race).compile())
  if (row === undefined) return undefined
  const { log_e: logE, truth_revision: truthRevision, ...rest } = row
  return { ...rest, logE, truthRevision }
}

/** What is remembered of the looks at a race. */
export async function readMemory(sql: Sql, race: number): Promise<LookMemory | undefined> {
  const row = await sql.get(sql.build.selectFrom('history').selectAll().where('race', '=', race).compile())
  return row && { p: row.p, lower: row.lower, upper: row.upper, ready: row.ready === 1 }
}

/** Writes what is remembered of the looks at a race. */
export async function writeMemory(sql: Sql, race: number, memory: LookMemory): Promise<void> {
  const row = { ...memory, ready: Number(memory.ready) }
  await sql.run(
    sql.build
      .insertInto('history')
      .values({ race, ...row })
      .onConflict(conflict => conflict.column('race').doUpdateSet(row))
      .compile(),
  )
}

/** Writes down what was done about a race. */
export async function addRaceEvent(sql: Sql, { race, at, kind, detail }: RaceEvent): Promise<void> {
  await sql.run(sql.build.insertInto('race_event').values({ race, at, kind, detail }).compile())
}

/** What was done about a race, the earliest first. */
export async function readRaceEvents(sql: Sql, race: number): Promise<readonly RaceEvent[]> {
  const query = sql.build.selectFrom('race_event').selectAll().where('race', '=', race).orderBy('id')
  return (await sql.all(query.compile())).map(({ id: _, ...event }) => event)
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

function toEpoch(row: EpochRow): StoredEpoch {
  return { epoch: row.epoch, startedAt: row.started_at, weights: parseWeights(row.weights) }
}

/** What races had before their rule could say it. */
const EARLIER_SPEC: Partial<RaceSpec> = {
  strict: false,
  maturityMs: 0,
  challengers: 1,
  ramp: [],
  guardrails: {},
  budget: {},
}

function parseSpec(text: string): RaceSpec {
  const value: unknown = JSON.parse(text)
  if (!isObject(value) || !isObject(value['loss'])) throw new Error(`The database holds no race rule: ${text}`)
  return { ...EARLIER_SPEC, ...value } as unknown as RaceSpec
}

function parseWeights(text: string): Readonly<Record<number, number>> {
  const value: unknown = JSON.parse(text)
  if (!isObject(value)) throw new Error(`The database holds no weights: ${text}`)
  return value as Readonly<Record<number, number>>
}

function toId(row: { readonly id: number } | undefined): number {
  if (row === undefined) throw new Error('An insert gave no id back')
  return row.id
}

interface EpochRow {
  readonly epoch: number
  readonly started_at: number
  readonly weights: string
}

/** A race beside one of its epochs, or beside none. */
type RaceEpochRow = RaceRow &
  (
    | { readonly epoch: number; readonly epoch_at: number; readonly weights: string }
    | { readonly epoch: null; readonly epoch_at: null; readonly weights: null }
  )

const listRaceEpochs = statement<[number], RaceEpochRow>(
  `select r.*, e.epoch, e.started_at as epoch_at, e.weights
    from race r left join epoch_race x on x.race = r.id left join epoch e on e.epoch = x.epoch
    where r.id = ? order by e.epoch`,
)
const addEpochRace = statement<[number, number]>(
  'insert into epoch_race (epoch, race) values (?, ?) on conflict (epoch, race) do nothing',
)
const findRaces = bulk<{ epoch: 'integer' }, RaceRow & { readonly epoch: number }>(
  { epoch: 'integer' },
  from => `select e.epoch, r.* from ${from} join epoch_race e on e.epoch = input.epoch join race r on r.id = e.race
    order by e.epoch, r.id`,
)
const findLastVariant = statement<[], { readonly last: number }>('select coalesce(max(id), 0) as last from variant')
