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
    ...[[ofDay, 'day >= 0'] as const, [sealed, 'day < 0'] as const].flatMap(([from, which]) => [
      `update aggregate set
        (low, high) = (select coalesce(min(p.difference), 0), coalesce(max(p.difference), 0) ${from})
      where part = 'pair' and ${which}`,
      `update aggregate set
        lows = (select count(*) ${from} and p.difference = aggregate.low),
        highs = (select count(*) ${from} and p.difference = aggregate.high)
      where part = 'pair' and ${which}`,
    ]),
    'drop index pair_request',
    'drop index pair_difference',
  ]
}

/** What the database calls its numbers. */
interface Types {
  readonly real: string
  readonly integer: string
}
