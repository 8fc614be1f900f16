-- A database as version 1 of the schema had it: two variants in a race, one request with its truth, one without.
pragma application_id = 1919382625;
pragma user_version = 1;
create table variant (
  id integer primary key autoincrement, name text not null, version integer not null, digest text not null,
  at integer not null) strict;
create table race (
  id integer primary key autoincrement, a integer not null references variant (id),
  b integer not null references variant (id), design text not null, spec text not null,
  started_at integer not null, ended_at integer, ended_how text) strict;
create table epoch (
  epoch integer primary key, race integer references race (id), started_at integer not null,
  weights text not null) strict;
create table answer (
  request text not null, variant integer not null, epoch integer not null, race integer, at integer not null,
  served integer not null, propensity real not null, pinned integer not null, status integer not null,
  latency_us real not null, replica text not null, error text,
  primary key (request, variant)) strict, without rowid;
create table prediction (
  request text not null, row integer not null, variant integer not null, series text, target_at integer,
  value text not null, state integer not null, loss real,
  primary key (request, row, variant)) strict, without rowid;
create index prediction_target on prediction (series, target_at) where series is not null;
create table truth (
  request text not null, row integer not null, value text not null, revision integer not null, source text,
  received_at integer not null, joined integer not null, primary key (request, row)) strict, without rowid;
create table observation (
  series text not null, at integer not null, value text not null, revision integer not null, source text,
  received_at integer not null, joined integer not null, primary key (series, at)) strict, without rowid;
create table aggregate (
  race integer not null, epoch integer not null, part text not null, variant integer not null, day integer not null,
  count integer not null, mean real not null, m2 real not null, peak real not null, events integer not null,
  primary key (race, epoch, part, variant, day)) strict, without rowid;
create table tally (
  race integer not null, epoch integer not null, variant integer not null, predictions integer not null default 0,
  drawn integer not null default 0, repeated integer not null default 0, refused integer not null default 0,
  primary key (race, epoch, variant)) strict, without rowid;
create table pair (
  race integer not null, at integer not null, request text not null, row integer not null,
  difference real not null, primary key (race, at, request, row)) strict, without rowid;
create index pair_difference on pair (race, difference);
create table entity (epoch integer not null, entity text not null, primary key (epoch, entity)) strict, without rowid;
create table counter (name text primary key, value integer not null) strict, without rowid;
create table decision (
  race integer primary key, at integer not null, state text not null, reason text not null, n integer not null,
  estimate real not null, se real not null, lower real not null, upper real not null, log_e real not null,
  p real not null) strict;
insert into variant values (1, 'a', 1, 'sha256:0000000000000000000000000000000000000000000000000000000000000000', 1768478400000), (2, 'b', 2, 'sha256:0000000000000000000000000000000000000000000000000000000000000000', 1768478400000);
insert into race values (1, 1, 2, 'paired', '{"alpha":0.05,"loss":{"kind":"squared"},"margin":0,"minGain":0,"season":1,"tOpt":1000,"task":"regression"}', 1768478400000, null, null);
insert into epoch values (1, 1, 1768478400000, '{"1":1,"2":0}');
insert into answer values
  ('019bc186-de00-7000-8000-000000000001', 1, 1, 1, 1768478400000, 1, 1, 0, 200, 1500, 'a-1', null),
  ('019bc186-de00-7000-8000-000000000001', 2, 1, 1, 1768478400000, 0, 1, 0, 200, 1500, 'b-1', null),
  ('019bc186-de00-7000-8000-000000000002', 1, 1, 1, 1768478400000, 1, 1, 0, 200, 1500, 'a-1', null);
insert into prediction values
  ('019bc186-de00-7000-8000-000000000001', 0, 1, null, null, '1', 1, 1),
  ('019bc186-de00-7000-8000-000000000001', 0, 2, null, null, '2', 1, 4),
  ('019bc186-de00-7000-8000-000000000002', 0, 1, null, null, '1', 0, null);
insert into truth values ('019bc186-de00-7000-8000-000000000001', 0, '0', 0, null, 1768478400000, 1);
insert into pair values (1, 1768478400000, '019bc186-de00-7000-8000-000000000001', 0, -3);
insert into aggregate values
  (1, 1, 'drawn', 1, 20468, 1, 1, 0, 0, 1),
  (1, 1, 'other', 2, 20468, 1, 4, 0, 0, 1),
  (1, 1, 'pair', 0, 20468, 1, -3, 0, 0, 1);
insert into tally values (1, 1, 1, 2, 2, 0, 0), (1, 1, 2, 1, 0, 0, 0);
insert into counter values ('truth-new', 1);
