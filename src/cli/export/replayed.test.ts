import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { OutcomeJson } from '../../control/index.ts'
import { openOutcomes } from '../../control/race/outcomes.ts'
import { judgeLive, judgeRowEntities, SCENES, type Scene, SERIES, truthOf } from '../../control/testing/scenes.ts'
import { readLines, toTexts } from '../../core/lines.ts'
import type { ReplayLine, Verdict } from '../../judge/index.ts'
import type { Store } from '../../store/index.ts'
import { makeFolder, makeStore, NOON, spec, toRecord, toRequest, toTruth } from '../../store/testing/place.ts'
import { main } from '../app.ts'
import { toInstallation } from '../installation.ts'
import { WRITERS } from './export.node.ts'
import type { ExportFormat } from './lines.ts'

/* What `regatta export` writes, replayed by `regatta race --from` as it is. */

const signal = new AbortController().signal

async function* readOutcomes(store: Store): AsyncGenerator<OutcomeJson> {
  for await (const { text } of readLines(toTexts(await openOutcomes(store, '1', signal)))) yield JSON.parse(text)
}

/** Exports race 1 into a file and replays that. */
async function replay(store: Store, scene: Scene, format: ExportFormat): Promise<ReplayLine> {
  await using folder = await makeFolder()
  const file = join(folder.path, `outcomes.${format}`)
  const pieces: Uint8Array[] = []
  await WRITERS[format](readOutcomes(store), async bytes => void pieces.push(bytes))
  await writeFile(file, Buffer.concat(pieces))
  const { task, loss, cap, strict, season } = { ...spec, ...scene.spec }
  const race = { task, loss: loss.kind, cap, strict, ...(task === 'forecast' && { season }), champion: 'other' }
  await writeFile(join(folder.path, 'regatta.yaml'), JSON.stringify({ name: 'm', race }))
  let [out, err] = ['', '']
  const code = await main(['race', '--from', file, '--json'], {
    out: text => {
      out += text
    },
    err: text => {
      err += text
    },
    ...{ terminal: undefined, colours: false, env: {}, cwd: folder.path, signal, clock: () => NOON },
    installation: toInstallation(join(import.meta.dirname, '..', '..', '..'), true, process.execPath),
  })
  assert.ok(code === 0 || code === 3, err)
  return JSON.parse(out)
}

function assertSame(replayed: ReplayLine, live: Verdict): void {
  assert.deepEqual([replayed.a, replayed.b, replayed.design], ['a', 'b', live.design])
  for (const key of ['n', 'estimate', 'se', 'lower', 'upper', 'logE'] as const) {
    const [found, wanted] = [replayed[key] ?? Number.NaN, live[key] ?? Number.NaN]
    assert.ok(Math.abs(found - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted)), `${key}: ${found}, live ${wanted}`)
  }
  assert.deepEqual(replayed.gates.map(toPassed), live.gates.map(toPassed))
}

const toPassed = ({ name, passed }: Verdict['gates'][number]) => ({ name, passed })
const toTruths = (scene: Scene) => SERIES.map(n => toTruth(n, (scene.truths ?? truthOf)(n)))

describe('race --from of an export', () => {
  for (const scene of SCENES) {
    it(`judges ${scene.name} as the live race does`, async () => {
      await using place = await makeStore()
      const live = await judgeLive(place.store, scene, toTruths(scene))
      assertSame(await replay(place.store, scene, 'ndjson'), live)
    })
  }

  const pick = (name: string): Scene => SCENES.find(scene => scene.name === name) ?? assert.fail(name)
  for (const format of ['csv', 'parquet'] as const) {
    for (const scene of [pick('pairs by entity'), pick('a split with a covariate'), pick('a series')]) {
      it(`reads ${format} of ${scene.name}`, async () => {
        await using place = await makeStore()
        const live = await judgeLive(place.store, scene, toTruths(scene))
        assertSame(await replay(place.store, scene, format), live)
      })
    }
  }

  it('leaves out of a split what chance did not choose, and what the loss cannot score', async () => {
    await using place = await makeStore()
    const scene = pick('a split')
    const live = await judgeLive(place.store, scene, toTruths(scene))
    const toOther = (n: number) => toRecord({ request: toRequest(n), rows: [{ prediction: 1e3 }] })
    await place.store.addPredictions([
      { ...toOther(5000), pinned: true },
      { ...toOther(5001), served: false },
    ])
    await place.store.addPredictions([{ ...toOther(5002), rows: [{ prediction: 'cat' }] }])
    await place.store.addTruths(
      [5000, 5001, 5002].map(n => toTruth(n, 1)),
      NOON,
    )
    assertSame(await replay(place.store, scene, 'ndjson'), live)
  })

  const HALVES: Readonly<Record<string, number>> = { 'of one epoch': 600, 'of some labels': 900 }
  for (const [name, from] of Object.entries(HALVES)) {
    it(`takes covariates ${name}, as the live race does`, async () => {
      await using place = await makeStore()
      const { toMore, ...scene } = pick('a split with a covariate')
      const some: Scene = { ...scene, toMore: n => (n < from ? {} : toMore(n)) }
      const live = await judgeLive(place.store, some, toTruths(some))
      assertSame(await replay(place.store, some, 'ndjson'), live)
    })
  }

  const SOME: Readonly<Record<string, (n: number) => boolean>> = {
    'some requests': n => n % 3 > 0,
    'few requests': n => n % 40 === 0,
    'all requests from one on': n => n >= 700,
  }
  for (const [name, has] of Object.entries(SOME)) {
    for (const named of ['pairs', 'pairs by wmape', 'a split', 'a split by wmape', 'a split with a covariate']) {
      it(`takes entities of ${name} in ${named}, as the live race does`, async () => {
        await using place = await makeStore()
        const scene = pick(named)
        const ofEntity = pick('pairs by entity').toMore
        const some: Scene = { ...scene, toMore: n => ({ ...scene.toMore(n), ...(has(n) ? ofEntity(n) : {}) }) }
        const live = await judgeLive(place.store, some, toTruths(some))
        assert.ok(named.includes('covariate') || live.gates.some(gate => gate.name === 'entities'))
        assertSame(await replay(place.store, some, 'ndjson'), live)
      })
    }
  }

  it('takes each request of an entity that only rows tell for a draw, as the live race does', async () => {
    await using place = await makeStore()
    const live = await judgeRowEntities(place.store, 3)
    assert.equal(live.design, 'clustered')
    assertSame(await replay(place.store, pick('a split by entity'), 'ndjson'), live)
  })

  it('leaves covariates out of a loss per size of the truth, as the live race does', async () => {
    await using place = await makeStore()
    const covered = pick('a split with a covariate')
    const scene: Scene = { ...covered, spec: { loss: { kind: 'wmape' } } }
    const live = await judgeLive(place.store, scene, toTruths(scene))
    assertSame(await replay(place.store, scene, 'ndjson'), live)
  })

  it('takes each row of a request for a label, and all of them for one draw', async () => {
    await using place = await makeStore()
    const scene: Scene = { ...pick('a split'), name: 'batches' }
    const live = await judgeLive(place.store, scene, toTruths(scene))
    const rows = Array.from({ length: 400 }, (_, row) => ({ prediction: row % 7 }))
    await place.store.addPredictions([toRecord({ request: toRequest(5000), rows, propensity: 0.75 })])
    await place.store.addTruths(
      rows.map((_, row) => toTruth(5000, 3, { row })),
      NOON,
    )
    const replayed = await replay(place.store, scene, 'ndjson')
    assert.equal(replayed.n, live.n + 400)
    assert.deepEqual(
      replayed.gates.filter(({ passed }) => !passed),
      live.gates.filter(({ passed }) => !passed),
    )
  })
})
