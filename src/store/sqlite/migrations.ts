import { toBodyTables } from '../bodies.ts'
import { toChangeTables } from '../deployment-changes.ts'
import { toDrawnEnds, toPairEnds } from '../schema/ends-columns.ts'
import { toJudgingTables } from '../schema/judging-tables.ts'

/**
 * The steps from one version of the schema to the next; `PRAGMA user_version` counts those that were taken. A step
 * that was ever released is never changed.
 */
export const SQLITE_MIGRATIONS: readonly (readonly string[])[] = [
  [
    `create table variant (
      id integer primary key autoincrement, name text not null, version integer not null, digest text not null,
      at integer not null) strict`,
    `create table race (
      id integer primary key autoincrement, a integer not null references variant (id),
      b integer not null references variant (id), design text not null, spec text not null,
      started_at integer not null, ended_at integer, ended_how text) strict`,
    `create table epoch (
      epoch integer primary key, race integer references race (id), started_at integer not null,
      weights text not null) strict`,
    `create table answer (
      request text not null, variant integer not null, epoch integer not null, race integer, at integer not null,
      served integer not null, propensity real not null, pinned integer not null, status integer not null,
      latency_us real not null, replica text not null, error text,
      primary key (request, variant)) strict, without rowid`,
    `create table prediction (
      request text not null, row integer not null, variant integer not null, series text, target_at integer,
      value text not null, state integer not null, loss real,
      primary key (request, row, variant)) strict, without rowid`,
    'create index prediction_target on prediction (series, target_at) where series is not null',
    `create table truth (
      request text not null, row integer not null, value text not null, revision integer not null, source text,
      received_at integer not null, joined integer not null, primary key (request, row)) strict, without rowid`,
    `create table observation (
      series text not null, at integer not null, value text not null, revision integer not null, source text,
      received_at integer not null, joined integer not null, primary key (series, at)) strict, without rowid`,
    `create table aggregate (
      race integer not null, epoch integer not null, part text not null, variant integer not null, day integer not null,
      count integer not null, mean real not null, m2 real not null, peak real not null, events integer not null,
      primary key (race, epoch, part, variant, day)) strict, without rowid`,
    `create table tally (
      race integer not null, epoch integer not null, variant integer not null, predictions integer not null default 0,
      drawn integer not null default 0, repeated integer not null default 0, refused integer not null default 0,
      primary key (race, epoch, variant)) strict, without rowid`,
    `create table pair (
      race integer not null, at integer not null, request text not null, row integer not null,
      difference real not null, primary key (race, at, request, row)) strict, without rowid`,
    'create index pair_difference on pair (race, difference)',
    'create table entity (epoch integer not null, entity text not null, primary key (epoch, entity)) strict, without rowid',
    'create table counter (name text primary key, value integer not null) strict, without rowid',
    `create table decision (
      race integer primary key, at integer not null, state text not null, reason text not null, n integer not null,
      estimate real not null, se real not null, lower real not null, upper real not null, log_e real not null,
      p real not null) strict`,
  ],
  [
    `create table conflict (
      subject text not null, revision integer not null, refused text not null, kept text not null, source text,
      at integer not null, primary key (subject, revision, refused)) strict, without rowid`,
    // Requests that were served were not counted before, but nothing could be pruned either.
    `insert into counter (name, value)
      select 'served', count(distinct request) from answer where served = 1 and status between 200 and 299`,
  ],
  [
    'alter table prediction add column entity text',
    'alter table prediction add column covariate real',
    'alter table prediction add column weight real',
    'alter table aggregate add column above integer not null default 0',
    // A day's pairs are those of its range of requests; what was pruned of other days counts as one epoch's.
    `update aggregate set above = (
        select count(*) from pair p join race r on r.id = p.race
          join answer a on a.request = p.request and a.variant = r.a
        where p.race = aggregate.race and a.epoch = aggregate.epoch and p.difference > 0
          and p.request >= ${toFloor('aggregate.day')} and p.request < ${toFloor('(aggregate.day + 1)')})
      where part = 'pair' and day >= 0`,
    `update aggregate set above = (
        select count(*) from pair p
        where p.race = aggregate.race and p.difference > 0
          and not exists (select 1 from answer a where a.request = p.request))
      where part = 'pair' and day < 0
        and epoch = (select min(f.epoch) from aggregate f where f.race = aggregate.race and f.part = 'pair' and f.day < 0)`,
    'alter table tally add column answers integer not null default 0',
    'alter table tally add column errors integer not null default 0',
    `update tally set
      answers = (select count(*) from answer a
        where a.race = tally.race and a.epoch = tally.epoch and a.variant = tally.variant),
      errors = (select count(*) from answer a
        where a.race = tally.race and a.epoch = tally.epoch and a.variant = tally.variant
          and a.status not between 200 and 299)`,
    `create table cross_sum (
      race integer not null, epoch integer not null, part text not null, variant integer not null, day integer not null,
      count integer not null, mean_x real not null, mean_y real not null, m2_x real not null, m2_y real not null,
      xy real not null, peak_x real not null, peak_y real not null,
      primary key (race, epoch, part, variant, day)) strict, without rowid`,
    `create table cluster (
      race integer not null, epoch integer not null, variant integer not null, entity text not null,
      count integer not null, sum real not null, rest real not null,
      primary key (race, epoch, variant, entity)) strict, without rowid`,
    `create table histogram (
      race integer not null, epoch integer not null, name text not null, variant integer not null,
      bucket integer not null, count integer not null,
      primary key (race, epoch, name, variant, bucket)) strict, without rowid`,
    `create table maturity (
      race integer not null, epoch integer not null, variant integer not null, hour integer not null,
      predictions integer not null, labelled integer not null,
      primary key (race, epoch, variant, hour)) strict, without rowid`,
    `insert into maturity
      select a.race, a.epoch, a.variant, a.at / 3600000, count(*), sum(p.state <> 0)
      from prediction p join answer a on a.request = p.request and a.variant = p.variant
      where a.race is not null group by 1, 2, 3, 4`,
    `create table pair_change (
      race integer not null, change integer not null, at integer not null, request text not null, row integer not null,
      primary key (race, change)) strict, without rowid`,
  ],
  [
    `create table epoch_race (
      epoch integer not null, race integer not null, primary key (epoch, race)) strict, without rowid`,
    'create index epoch_race_race on epoch_race (race)',
    'insert into epoch_race select epoch, race from epoch where race is not null',
    `create table race_event (
      id integer primary key autoincrement, race integer not null, at integer not null, kind text not null,
      detail text not null) strict`,
    'create index race_event_race on race_event (race)',
  ],
  toPairEnds(toFloor, { real: 'real', integer: 'integer' }),
  toJudgingTables({ integer: 'integer', real: 'real', end: ' strict' }),
  toBodyTables({ uuid: 'text', integer: 'integer', end: ' strict, without rowid' }),
  toDrawnEnds(toFloor),
  toChangeTables({ integer: 'integer', end: ' strict' }),
]

/** The first key of a day, as `toKeyFloor` of days.ts makes it. */
function toFloor(day: string): string {
  const hex = `printf('%012x', ${day} * 86400000)`
  return `(substr(${hex}, 1, 8) || '-' || substr(${hex}, 9))`
}
