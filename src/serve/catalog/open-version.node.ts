import { dirname } from 'node:path'
import { MEMORY_LOG } from '../../core/wire/memory-log.ts'
import { toServedModel } from '../batch/inference.node.ts'
import { type Placed, placeEngine } from '../engine/placement.node.ts'
import { readWarmUpRequests } from '../engine/warm-up-requests.node.ts'
import type { Limits, Logger } from '../options.ts'
import type { ServerMetrics } from '../telemetry/metrics.ts'
import type { ModelFile, OpenedVersion } from './loading.ts'
import { readOnnxAbout } from './onnx-about.node.ts'
import { checkModelFile } from './repository.node.ts'

/** What versions share. */
export interface VersionParts {
  readonly limits: Limits
  readonly metrics: ServerMetrics
  readonly logger: Logger | undefined
}

/**
 * Loads a version, warms it, and puts it behind its queue. `isBusy`: others are served meanwhile, who would wait.
 * @throws MODEL_MISSING, MODEL_LOAD, MODEL_SIGNATURE, MODEL_WARM_UP
 */
export async function openVersion(
  { limits, metrics, logger }: VersionParts,
  name: string,
  file: ModelFile,
  isBusy: boolean,
): Promise<OpenedVersion> {
  await checkModelFile(file)
  const { path, sizeBytes, version } = file
  logger?.info({ path, sizeBytes }, MEMORY_LOG.loading)
  const about = await readOnnxAbout(path)
  const placed = await placeEngine({
    path,
    sizeBytes,
    isBusy,
    intraOpThreads: limits.intraOpThreads,
    threads: limits.engineThreads,
    maxBatchRows: limits.batching.maxRows,
    readWarmUps: async signature => (limits.warmUpRequests ? await readWarmUpRequests(dirname(path), signature) : []),
    onTrouble: text => logger?.warn({ model: name, version }, text),
  })
  const openMetrics = (waiting: () => number) => metrics.openVersion(name, version, waiting)
  const served = toServedModel(placed, { ...limits, openMetrics, logger })
  if (placed.warmUps > 0) served.model.metrics.onWarmUp(path, placed.warmUps, placed.warmUpMs)
  tell(placed, path, logger)
  return { ...served, about }
}

function tell({ place, runMs, reason, batching }: Placed, path: string, logger: Logger | undefined): void {
  const batch = batching.kind === 'together' ? { batchRows: batching.size.maxRows } : { singly: batching.reason }
  const text = reason === undefined ? 'loaded' : 'loaded, but not warmed'
  logger?.info({ path, place, runMs, reason, ...batch }, text)
}
