import type { RaceJson } from '../../control/index.ts'
import type { ImageLayout } from '../../oci/index.ts'
import type { PackedImage } from '../../pack/index.ts'
import { openSqliteStore } from '../../store/index.ts'
import type { Call } from '../verb.ts'
import type { Workplace } from '../workplace.node.ts'
import type { DemoReport } from './report.ts'

/** What only the teller of the story knows. */
export interface Told {
  readonly race: RaceJson
  readonly imageA: PackedImage
  readonly imageB: PackedImage
  readonly promoted: string | null
  readonly replicaKilled: DemoReport['replicaKilled']
  /** Requests that a client sent and got no good answer to. */
  readonly failedRequests: number
  readonly seconds: number
}

/** Makes the report from the database, the layout and control's race. */
export async function readReport(call: Call, { layout, paths }: Workplace, told: Told): Promise<DemoReport> {
  await using store = await openSqliteStore(paths.database, { clock: call.clock })
  const truths = await store.readTruthCounts()
  const served = await store.readServedCount()
  const { estimate, labels, lower, state, upper } = told.race.decision ?? told.race.verdict
  return {
    schema: 'regatta/demo/v1',
    variants: told.race.variants.map(({ digest, meanLoss, name, params, predictions, version }) => ({
      name,
      version,
      digest,
      params,
      meanLoss,
      predictions,
    })),
    truths: truths.new + truths.orphan,
    verdict: { state, estimate, lower, upper, labels },
    promoted: told.promoted,
    requests: served,
    failedRequests: told.failedRequests,
    replicaKilled: told.replicaKilled,
    modelLayerOnly: await isModelLayerOnly(layout, told.imageA, told.imageB),
    seconds: told.seconds,
  }
}

/** Whether the second image's layers are the first one's but for app and model, by the manifests in the layout. */
async function isModelLayerOnly(layout: ImageLayout, first: PackedImage, second: PackedImage): Promise<boolean> {
  const known = new Set((await layout.readManifest(first.digest)).layers.map(({ digest }) => digest))
  const added = (await layout.readManifest(second.digest)).layers.filter(({ digest }) => !known.has(digest))
  return (
    added.length > 0 &&
    added.every(({ annotations }) => ['app', 'model'].includes(annotations?.['dev.regatta.layer'] ?? ''))
  )
}
