/** How a database writes a column of whole numbers, one of fractions, and the end of a table. */
interface Dialect {
  readonly integer: string
  readonly real: string
  readonly end: string
}

/**
 * What version 6 of the schema adds: weights of pairs and of entities, what the gates of their sums need, caps of
 * losses, and what is remembered of the looks at a race. Of sums from before, `far` begins anew.
 */
export function toJudgingTables({ integer, real, end }: Dialect): readonly string[] {
  const whole = `${integer} not null`
  const sameArm = 'c.race = cross_sum.race and c.epoch = cross_sum.epoch and c.variant = cross_sum.variant'
  return [
    `alter table pair add column weight ${real} not null default 1`,
    `alter table cluster add column weight ${real} not null default 0`,
    `alter table cluster add column weight_rest ${real} not null default 0`,
    'update cluster set weight = count',
    `alter table cross_sum add column labels ${whole} default 0`,
    `alter table cross_sum add column events ${whole} default 0`,
    `alter table cross_sum add column far ${real} not null default 0`,
    "update cross_sum set labels = count where part <> 'cluster'",
    `update cross_sum set
      labels = (select coalesce(sum(c.count), 0) from cluster c where ${sameArm}),
      events = (select count(*) from cluster c where ${sameArm} and c.sum + c.rest <> 0)
      where part = 'cluster'`,
    `alter table tally add column capped ${whole} default 0`,
    `alter table race add column cap ${real}`,
    `create table calibration (
      race ${whole}, request text not null, row ${whole}, loss ${real} not null,
      primary key (race, request, row))${end}`,
    "alter table decision add column spec text not null default ''",
    `alter table decision add column truth_revision ${whole} default 0`,
    `create table history (
      race ${integer} primary key, p ${real} not null, lower ${real}, upper ${real}, ready ${whole})${end}`,
  ]
}
