import assert from 'node:assert/strict'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DemoReport } from '../src/cli/demo/report.ts'
import { makePlace, type Place, toProjectYaml } from './testing/place.ts'

/** A project that the demo takes for its example; 200 "units" answer twice the truth, 100 answer the truth. */
function makeExample(): Place {
  const yaml = toProjectYaml({ race: '  truth: { by: series }' }).replace(
    'params: { weight: 1 }',
    'params: { hidden: 1, epochs: 1 }',
  )
  const place = makePlace(yaml)
  cpSync(join(import.meta.dirname, 'testing', 'live-linear.ts'), join(place.folder, 'live.ts'))
  return place
}

describe('regatta demo', () => {
  let place: Place
  let first: DemoReport
  before(() => {
    place = makeExample()
  })
  after(async () => await place[Symbol.asyncDispose]())

  /** What the database of all stories counts by itself. */
  function countServed(): unknown {
    using database = new DatabaseSync(join(place.folder, '.regatta', 'regatta.db'), { readOnly: true })
    const sql = 'SELECT COUNT(DISTINCT request) AS served FROM answer WHERE served = 1 AND status = 200'
    return database.prepare(sql).get()?.['served']
  }

  it('tells the whole story, and leaves nothing that runs', async () => {
    first = await place.json<DemoReport>(['demo'])
    const { failedRequests, modelLayerOnly, promoted, replicaKilled, requests, variants, verdict } = first
    assert.deepEqual([verdict.state, promoted], ['promote-B', 'b'])
    assert.deepEqual(
      variants.map(({ name, params }) => [name, params]),
      [
        ['a', { hidden: 200, epochs: 1 }],
        ['b', { hidden: 100, epochs: 600 }],
      ],
    )
    assert.deepEqual([failedRequests, modelLayerOnly, requests], [0, true, countServed()])
    assert.match(replicaKilled.reason, /SIGKILL/)
    assert.deepEqual(place.listProcesses(), [])
  })

  it('lets the other one win with the roles exchanged, counts its own requests alone, and stays where told', async () => {
    const { code, err, out } = await place.run(['demo', '--swap', '--keep', '--json'])
    assert.equal(code, 0, err)
    const report = JSON.parse(out) as DemoReport
    assert.deepEqual([report.verdict.state, report.promoted], ['keep-A', null])
    assert.deepEqual(report.variants[0]?.params, { hidden: 100, epochs: 600 })
    assert.equal(report.requests, Number(countServed()) - first.requests)
    assert.ok(report.truths > 0 && report.truths <= report.requests, `${report.truths} of ${report.requests}`)
    const [, url = ''] = /left running; the race: (\S+)/.exec(err) ?? []
    assert.match(await (await fetch(url)).text(), /<html/)
    const again = await place.run(['demo'])
    assert.equal(again.code, 2)
    assert.match(again.err, /error\[DEMO_DEPLOYED\][\s\S]*try: regatta delete --yes/)
    await place.json(['delete', '--yes'])
    await place.json(['down'])
    assert.deepEqual(place.listProcesses(), [])
  })

  it('ends with Ctrl-C, leaves nothing, and can be told again', async () => {
    const interrupt = new AbortController()
    const demo = place.run(['demo'], { signal: interrupt.signal })
    const routes = join(place.folder, '.regatta', 'local', 'routes.json')
    const deadline = Date.now() + 120_000
    const isRacing = (): boolean => existsSync(routes) && readFileSync(routes, 'utf8').includes('shadow')
    while (!isRacing() && Date.now() < deadline) await sleep(20)
    assert.ok(isRacing())
    interrupt.abort()
    const { code, err } = await demo
    assert.equal(code, 130, err)
    assert.deepEqual(place.listProcesses(), [])
    assert.equal(existsSync(routes), false)
  })
})
