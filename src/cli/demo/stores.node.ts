import type { RaceJson } from '../../control/index.ts'
import { type Digest, parseDigest } from '../../core/brands.ts'
import type { ImageLayout } from '../../oci/index.ts'
import { openSqliteStore, type Store, type StoredRace } from '../../store/index.ts'
import { readRunByDigest } from '../../train/index.ts'
import type { Call } from '../verb.ts'
import type { Workplace } from '../workplace.node.ts'
import type { DemoReport } from './report.ts'

/** How many requests and truths a database knows. */
export interface Counts {
  readonly requests: number
  readonly truths: number
}

/** What only the teller of the story knows. */
export interface Told {
  /** What earlier stories in this folder left in the database. */
  readonly before: Counts
  /** What the race said when it was left; the decision on record goes before it. */
  readonly verdict: RaceJson['verdict']
  readonly replicaKilled: DemoReport['replicaKilled']
  /** Requests that a client sent and got no good answer to. */
  readonly failedRequests: number
  readonly seconds: number
}

/** Reads the counts of a project, all 0 where it has no database yet. */
export async function readCounts(call: Call, { paths }: Workplace): Promise<Counts> {
  await using store = await openSqliteStore(paths.database, { clock: call.clock })
  return await countAll(store)
}

/** A truth that is known from an earlier story counts as reported again. */
async function countAll(store: Store): Promise<Counts> {
  const truths = await store.readTruthCounts()
  return { requests: await store.readServedCount(), truths: truths.new + truths.orphan + truths.duplicate }
}

/** Makes the report from the database and the layout, once everything has been written. */
export async function readReport(call: Call, { layout, paths }: Workplace, told: Told): Promise<DemoReport> {
  await using store = await openSqliteStore(paths.database, { clock: call.clock })
  const race = await store.readRace()
  if (race === undefined) throw new Error(`${paths.database} holds no race`)
  const { requests, truths } = await countAll(store)
  const decision = await store.readDecision(race.id)
  const variants = await readArms(store, layout, race)
  return {
    schema: 'regatta/demo/v1',
    variants,
    truths: truths - told.before.truths,
    verdict: decision === undefined ? toVerdict(told.verdict) : toVerdict({ ...decision, labels: decision.n }),
    promoted: race.ended?.how === 'promoted' ? (variants[1]?.name ?? null) : null,
    requests: requests - told.before.requests,
    failedRequests: told.failedRequests,
    replicaKilled: told.replicaKilled,
    modelLayerOnly: await isModelLayerOnly(layout, variants),
    seconds: told.seconds,
  }
}

async function readArms(store: Store, layout: ImageLayout, race: StoredRace): Promise<DemoReport['variants']> {
  const { arms } = await store.readScoreboard(race.id)
  const variants = await store.readVariants()
  return await Promise.all(
    arms.map(async arm => {
      const variant = variants.find(({ id }) => id === arm.variant)
      if (variant === undefined) throw new Error(`Race ${race.id} names variant ${arm.variant}, which is not on record`)
      const { digest, name, version } = variant
      const params = await readParams(layout, digest)
      return {
        name,
        version,
        digest,
        params,
        meanLoss: arm.loss.count === 0 ? null : arm.loss.mean,
        predictions: arm.predictions,
      }
    }),
  )
}

async function readParams(layout: ImageLayout, image: Digest): Promise<DemoReport['variants'][number]['params']> {
  const run = (await layout.readManifest(image)).annotations?.['dev.regatta.run']
  return run === undefined ? {} : (await readRunByDigest(layout, parseDigest(run))).record.params
}

function toVerdict({ estimate, labels, lower, state, upper }: DemoReport['verdict']): DemoReport['verdict'] {
  return { state, estimate, lower, upper, labels }
}

/** Whether the challenger's layers are the champion's but for app and model, by the manifests in the layout. */
async function isModelLayerOnly(layout: ImageLayout, [first, second]: DemoReport['variants']): Promise<boolean> {
  if (first === undefined || second === undefined) return false
  const known = new Set((await layout.readManifest(first.digest)).layers.map(({ digest }) => digest))
  const added = (await layout.readManifest(second.digest)).layers.filter(({ digest }) => !known.has(digest))
  return (
    added.length > 0 &&
    added.every(({ annotations }) => ['app', 'model'].includes(annotations?.['dev.regatta.layer'] ?? ''))
  )
}
