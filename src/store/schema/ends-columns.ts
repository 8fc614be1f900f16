import { STATE } from './schema.ts'

/**
 * What version 5 of the schema changes of the sums of pairs: they keep their ends, and no index has them. `toFloor`
 * gives the first key of a day. Of what was pruned, the epoch is not known any more: there the ends are those of all
 * epochs, which is the same to whoever reads a race's.
 */
export function toPairEnds(toFloor: (day: string) => string, types: Types): readonly string[] {
  const pairs = `from pair p join race r on r.id = p.race
      left join answer a on a.request = p.request and a.variant = r.a
    where p.race = aggregate.race`
  const ofDay = `${pairs} and p.request >= ${toFloor('aggregate.day')} and p.request < ${toFloor('(aggregate.day + 1)')}
      and (a.epoch is null or a.epoch = aggregate.epoch)`
  const sealed = `${pairs} and a.epoch is null`
  return [
    ...['low', 'high'].map(name => `alter table aggregate add column ${name} ${types.real} not null default 0`),
    ...['lows', 'highs'].map(name => `alter table aggregate add column ${name} ${types.integer} not null default 0`),
    'create index pair_request on pair (race, request)',
    ...setEnds('p.difference', ofDay, "part = 'pair' and day >= 0"),
    ...setEnds('p.difference', sealed, "part = 'pair' and day < 0"),
    'drop index pair_request',
    'drop index pair_difference',
  ]
}

/**
 * What version 8 of the schema changes: the losses of what chance drew have ends, too. Of what was pruned they are not
 * known any more, and those of the rest are taken.
 */
export function toDrawnEnds(toFloor: (day: string) => string): readonly string[] {
  const from = `from prediction p join answer a on a.request = p.request and a.variant = p.variant
    where p.request >= ${toFloor('aggregate.day')} and p.request < ${toFloor('(aggregate.day + 1)')}
      and p.state = ${STATE.counted} and a.served = 1 and a.pinned = 0
      and a.epoch = aggregate.epoch and a.variant = aggregate.variant`
  return setEnds('p.loss', from, "part = 'drawn' and day >= 0")
}

/** Sets the ends of rows of the sums to those of the numbers `x` of a `from`, and how often each is there. */
function setEnds(x: string, from: string, which: string): readonly string[] {
  return [
    `update aggregate set (low, high) = (select coalesce(min(${x}), 0), coalesce(max(${x}), 0) ${from}) where ${which}`,
    `update aggregate set
      lows = (select count(*) ${from} and ${x} = aggregate.low),
      highs = (select count(*) ${from} and ${x} = aggregate.high)
      where ${which}`,
  ]
}

/** What the database calls its numbers. */
interface Types {
  readonly real: string
  readonly integer: string
}
