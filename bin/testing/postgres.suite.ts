import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PromoteResponseJson, RaceJson, StatusJson } from '../../src/control/index.ts'
import { ask as askDatabase, createDatabase } from '../../src/store/testing/place.ts'
import { type Answer, askMany } from './client.ts'
import { killControls } from './killing.ts'
import { makePlace, type Place } from './place.ts'

const server = process.env['REGATTA_TEST_POSTGRES'] ?? ''
/** Fifty starts, or as many verbs, take half a minute where nothing else runs. */
const PATIENT = { timeout: 900_000 }
/** Enough labels for a verdict where there is a difference. */
const LABELS = 200

describe('a control that is killed with -9 while it takes records and truths', () => {
  for (const database of ['SQLite', 'PostgreSQL'] as const) {
    it(`on ${database} leaves every acknowledged truth to the next, once, fifty times`, PATIENT, async () => {
      assert.ok((await killControls(database === 'SQLite' ? undefined : await createDatabase(server), 50)) > 300)
    })
  }
})

describe('the story on PostgreSQL', () => {
  /** Runs a verb with `--json` where control, if the verb starts one, finds the database. */
  async function json<document>(place: Place, url: string, args: readonly string[]): Promise<document> {
    const { code, err, out } = await place.run([...args, '--json'], { env: { DATABASE_URL: url } })
    assert.ok(code === 0 || code === 3, `regatta ${args.join(' ')} ended with ${code}: ${err}${out}`)
    return JSON.parse(out) as document
  }

  /** Reports y = 2x + noise as the truth of the answers to x = 0, 1, … */
  async function report(place: Place, url: string, answers: readonly Answer[]): Promise<void> {
    const lines = answers.map(({ prediction }, x) => JSON.stringify({ prediction, value: 2 * x + Math.sin(x * 12.9) }))
    const file = join(place.folder, 'truths.ndjson')
    writeFileSync(file, lines.join('\n'))
    await json(place, url, ['truth', file])
  }

  it('deploys, races, promotes, and knows all of it after a restart', PATIENT, async () => {
    const url = await createDatabase(server)
    await using place = makePlace()
    for (const weight of [1, 2]) {
      await json(place, url, ['train', '--set', `weight=${weight}`])
      await json(place, url, ['pack'])
    }
    const { gateway } = await json<{ gateway: string }>(place, url, ['deploy', '1'])
    await json(place, url, ['deploy', '2', '--challenger', 'b', '--shadow'])
    await report(place, url, await askMany(gateway, 0, LABELS))
    let race = await json<RaceJson>(place, url, ['race'])
    for (const deadline = Date.now() + 60_000; race.verdict.state !== 'promote-B' && Date.now() < deadline; ) {
      await sleep(200)
      race = await json<RaceJson>(place, url, ['race'])
    }
    assert.equal(race.verdict.state, 'promote-B', race.verdict.reason)
    const promoted = await json<PromoteResponseJson>(place, url, ['promote'])
    assert.deepEqual([promoted.champion, promoted.previous], ['b', 'a'])
    await json(place, url, ['down'])
    await json(place, url, ['up', '-d'])
    const status = await json<StatusJson>(place, url, ['status'])
    assert.equal(status.variants.find(({ role }) => role === 'champion')?.name, 'b')
    const counted = 'select count(*)::int as predictions, sum(state)::int as labelled from regatta.prediction'
    assert.deepEqual(await askDatabase(url, counted), [{ predictions: 2 * LABELS, labelled: 2 * LABELS }])
    assert.equal(existsSync(join(place.folder, '.regatta', 'regatta.db')), false)
  })

  it('is not told in the database of another deployment', async () => {
    const url = await createDatabase(server)
    await using one = makePlace('name: one\ntargets: { local: { httpPort: 0, grpcPort: 0, controlPort: 0 } }\n')
    await using two = makePlace('name: two\ntargets: { local: { httpPort: 0, grpcPort: 0, controlPort: 0 } }\n')
    await json(one, url, ['up', '-d'])
    const { code, err } = await two.run(['up', '-d'], { env: { DATABASE_URL: url } })
    assert.equal(code, 1)
    assert.match(
      err,
      /error\[STORE_OWNED\] Cannot use the database ".*" for the deployment "two": it is of the deployment "one"/,
    )
    assert.match(err, /try: Make a database for each deployment/)
  })
})
