import { DTYPES, type TensorSpec } from '../../tensor/index.ts'
import type { GRPCInferenceService, MessageInitShape } from '../../tensor/messages.ts'
import type { ServedVersion } from '../catalog/catalog.ts'
import type { Duration } from '../telemetry/statistics.ts'
import { PLATFORM } from '../v2/response.ts'

type Method = (typeof GRPCInferenceService)['method']
type MetadataResponse = MessageInitShape<Method['modelMetadata']['output']>
type StatisticsResponse = MessageInitShape<Method['modelStatistics']['output']>

/** What a model takes and gives. */
export function toMetadataResponse(
  { name, model }: ServedVersion,
  versions: readonly Pick<ServedVersion, 'version'>[],
): MetadataResponse {
  return {
    name,
    versions: versions.map(({ version }) => String(version)),
    platform: PLATFORM,
    inputs: model.inputs.map(toTensorMetadata),
    outputs: model.outputs.map(toTensorMetadata),
  }
}

function toTensorMetadata({ name, dtype, shape }: TensorSpec) {
  return { name, datatype: DTYPES[dtype].v2, shape: shape.map(BigInt) }
}

/** What versions did. There is no cache here. */
export function toStatisticsResponse(versions: readonly ServedVersion[]): StatisticsResponse {
  return {
    modelStats: versions.map(({ name, version, model }) => {
      const counts = model.metrics.statistics()
      return {
        name,
        version: String(version),
        lastInference: BigInt(counts.lastInferenceAt),
        inferenceCount: BigInt(counts.inferenceCount),
        executionCount: BigInt(counts.executionCount),
        inferenceStats: {
          success: toDuration(counts.success),
          fail: toDuration(counts.fail),
          queue: toDuration(counts.queue),
          ...toRunStatistics(counts),
          cacheHit: NONE,
          cacheMiss: NONE,
        },
        batchStats: counts.batches.map(batch => ({ batchSize: BigInt(batch.rows), ...toRunStatistics(batch) })),
      }
    }),
  }
}

const NONE = { count: 0n, ns: 0n }

type RunStatistics = Readonly<Record<'computeInput' | 'computeInfer' | 'computeOutput', Duration>>

function toRunStatistics({ computeInput, computeInfer, computeOutput }: RunStatistics) {
  return {
    computeInput: toDuration(computeInput),
    computeInfer: toDuration(computeInfer),
    computeOutput: toDuration(computeOutput),
  }
}

function toDuration({ count, ns }: Duration) {
  return { count: BigInt(count), ns: BigInt(ns) }
}
