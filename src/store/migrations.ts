import type { Sql } from './sql.ts'
import { statement } from './sql.ts'

/** Marks a file as a database of regatta ("rgta"; `PRAGMA application_id`). */
export const APPLICATION_ID = 0x72677461

/**
 * The steps from one version of the schema to the next; `PRAGMA user_version` counts those that were taken. A step
 * that was ever released is never changed.
 */
const MIGRATIONS: readonly (readonly string[])[] = [
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
]

/** The version that this regatta writes. */
export const SCHEMA_VERSION = MIGRATIONS.length

/** Brings a database of an older version (0: an empty one) to the newest. Run inside a transaction. */
export function migrate(sql: Sql, from: number): void {
  for (const text of MIGRATIONS.slice(from).flat()) sql.run(statement<[]>(text)())
  sql.run(statement<[]>(`pragma application_id = ${APPLICATION_ID}`)())
  sql.run(statement<[]>(`pragma user_version = ${SCHEMA_VERSION}`)())
}
