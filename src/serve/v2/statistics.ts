import { type HttpResponse, toJsonResponse } from '../../core/http/http.ts'
import type { ServedVersion } from '../catalog/catalog.ts'

const NONE = { count: 0, ns: 0 }

/** What versions did (Triton, extension_statistics.md, "Statistics Response JSON Object"). There is no cache here. */
export function toStatisticsResponse(versions: readonly ServedVersion[]): HttpResponse {
  return toJsonResponse(200, { model_stats: versions.map(toModelStatistics) })
}

function toModelStatistics({ name, version, model }: ServedVersion): object {
  const counts = model.metrics.statistics()
  return {
    name,
    version: String(version),
    last_inference: counts.lastInferenceAt,
    inference_count: counts.inferenceCount,
    execution_count: counts.executionCount,
    inference_stats: {
      success: counts.success,
      fail: counts.fail,
      queue: counts.queue,
      compute_input: counts.computeInput,
      compute_infer: counts.computeInfer,
      compute_output: counts.computeOutput,
      cache_hit: NONE,
      cache_miss: NONE,
    },
    batch_stats: counts.batches.map(({ rows, computeInput, computeInfer, computeOutput }) => ({
      batch_size: rows,
      compute_input: computeInput,
      compute_infer: computeInfer,
      compute_output: computeOutput,
    })),
  }
}
