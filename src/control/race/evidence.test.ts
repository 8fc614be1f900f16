import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Evidence, parseOutcomeRow, Replay, type ReplayLook } from '../../judge/index.ts'
import { makeStore, spec, toTruth } from '../../store/testing/place.ts'
import {
  judgeLive,
  judgeRowEntities,
  lookLive,
  SCENES,
  type Scene,
  SERIES,
  toRecords,
  truthOf,
  WEIGHTS,
} from '../testing/scenes.ts'

function judgeReplay(scene: Scene): ReplayLook {
  const settings = { ...spec, ...scene.spec }
  const replay = new Replay({ ...settings, cap: settings.cap, champion: 'a', spec: '' })
  for (const n of SERIES) {
    for (const { request, rows, variant, ...record } of toRecords(n, scene)) {
      const { prediction, series, at, covariate } = rows[0] ?? assert.fail()
      const truth = (scene.truths ?? truthOf)(n)
      const { epoch, entity } = record
      const split = scene.design === 'split' ? { epoch, weights: epoch === 1 ? WEIGHTS[1] : WEIGHTS[2] } : {}
      const row = {
        request,
        variant: variant === 1 ? 'a' : 'b',
        prediction,
        truth,
        entity,
        series,
        at,
        covariate,
        ...split,
      }
      for (const _ of replay.add(parseOutcomeRow(JSON.parse(JSON.stringify(row)), settings.loss)));
    }
  }
  for (const _ of replay.finish());
  return replay.look()
}

const toPassed = ({ name, passed }: ReplayLook['verdict']['gates'][number]) => ({ name, passed })

/** That of sums of units is of how far one was when it came, which hangs on the order; of other designs nobody asks. */
function toExactDominance(evidence: Evidence): number {
  switch (evidence.kind) {
    case 'split':
    case 'adjusted':
    case 'paired':
    case 'dependent':
      return evidence.dominance ?? Number.NaN
    default:
      return 0
  }
}

function assertClose(found: number | undefined, wanted: number | undefined, what: string): void {
  assert.ok(
    found !== undefined && wanted !== undefined && Math.abs(found - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted)),
    `${what}: live ${found}, replay ${wanted}`,
  )
}

describe('toEvidence()', () => {
  for (const scene of SCENES) {
    it(`judges ${scene.name} live as a replay does`, async () => {
      await using place = await makeStore()
      const truths = SERIES.map(n => toTruth(n, (scene.truths ?? truthOf)(n)))
      const [{ evidence, verdict: live }, look] = [await lookLive(place.store, scene, truths), judgeReplay(scene)]
      const replay = look.verdict
      assert.deepEqual([live.design, replay.design], [scene.wanted, scene.wanted])
      assert.deepEqual(live.gates.map(toPassed), replay.gates.map(toPassed))
      for (const key of ['n', 'estimate', 'se', 'lower', 'upper', 'logE', 'p'] as const) {
        assertClose(live[key], replay[key], key)
      }
      assertClose(toExactDominance(evidence), toExactDominance(look.evidence), 'dominance')
      assert.ok(live.n > 100 && live.se > 0)
    })
  }

  for (const kind of ['squared', 'wmape'] as const) {
    it(`judges ${kind} losses of which some have an entity as single ones, and says where that cannot be`, async () => {
      await using place = await makeStore()
      const scene: Scene = {
        ...{ name: 'some', design: 'paired', spec: { loss: { kind } }, wanted: 'paired' },
        toMore: n => (n % 2 === 0 ? { entity: `e${n % 9}` } : {}),
      }
      const live = await judgeLive(
        place.store,
        scene,
        SERIES.map(n => toTruth(n, truthOf(n))),
      )
      assert.deepEqual([live.design, live.state], ['paired', 'warming-up'])
      assert.match(live.reason, /at most 5 % of the pairs for an entity that had one before wanted, 591 of 1200 found/)
    })
  }

  it('does not count entities by the weights where each request of theirs was drawn anew', async () => {
    await using place = await makeStore()
    const { design, gates } = await judgeRowEntities(place.store, 1)
    assert.equal(design, 'clustered')
    const ratios = gates.filter(({ name }) => name.endsWith(' ratio'))
    assert.deepEqual(
      ratios.map(({ name, passed }) => [name, passed]),
      [
        ['sample ratio', true],
        ['label ratio', true],
      ],
    )
  })
})
