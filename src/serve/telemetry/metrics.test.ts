import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { BatchRun } from '../batch/batch-run.ts'
import { type ServerMetrics, toMetrics } from './metrics.ts'

const RUN: BatchRun = { requests: 2, rows: 3, computeMs: 4, startedAt: 10, inferAt: 11, splitAt: 15, endedAt: 17 }
const TRACE = 'a'.repeat(32)

function openMetrics(): ServerMetrics {
  return toMetrics({ inFlight: () => 7, isReady: () => true, more: () => [] }, () => 5_000)
}

/** Metrics of a model that answered two requests by one run, and refused one. */
function openUsed() {
  const metrics = openMetrics()
  const version = metrics.openVersion('m', 2, () => 1)
  version.onRun(RUN)
  const inferred = { protocol: 'v2', tookMs: 9, queueMs: 1.5, run: RUN, traceId: TRACE } as const
  version.onInferred({ ...inferred, rows: 2 })
  version.onInferred({ ...inferred, rows: 1 })
  version.onRequest('v2', 200, 20, TRACE)
  version.onRequest('v2', 200, 20)
  version.onFailed(3)
  version.onRequest('tfs-grpc', 429, 3)
  return { metrics, version }
}

const LABELS = 'model="m",version="2"'

describe('toMetrics()', () => {
  it('prints what a version did, by protocol', () => {
    const { metrics } = openUsed()
    const { text } = metrics.print()
    for (const line of [
      'regatta_server_in_flight 7',
      'regatta_server_ready 1',
      `regatta_server_waiting{${LABELS}} 1`,
      `regatta_server_requests_total{protocol="v2",status="200",${LABELS}} 2`,
      `regatta_server_requests_total{protocol="tfs-grpc",status="429",${LABELS}} 1`,
      `regatta_server_request_seconds_sum{protocol="v2",${LABELS}} 0.04`,
      `regatta_server_queue_seconds_count{protocol="v2",${LABELS}} 2`,
      `regatta_server_inference_seconds_sum{${LABELS}} 0.004`,
      `regatta_server_batch_rows_bucket{${LABELS},le="2"} 0`,
      `regatta_server_batch_rows_bucket{${LABELS},le="4"} 1`,
      `regatta_server_batch_requests_bucket{${LABELS},le="2"} 1`,
      `regatta_server_inference_rows_total{${LABELS}} 3`,
      `regatta_server_inference_errors_total{${LABELS}} 0`,
    ])
      assert.ok(text.includes(`\n${line}\n`), line)
    assert.doesNotMatch(text, /trace_id/)
  })

  it('gives the traces of examples to readers of OpenMetrics', () => {
    const { text } = openUsed().metrics.print('application/openmetrics-text')
    assert.match(text, /request_seconds_bucket{.*le="0\.02"} 2 # {trace_id="a{32}"} 0\.02 5\n/)
    assert.match(text, /queue_seconds_bucket{.*le="0\.002"} 2 # {trace_id="a{32}"} 0\.0015 5\n/)
  })

  it('counts what no model had a part in, and ends the series of a version that is closed', () => {
    const { metrics, version } = openUsed()
    metrics.onRequest('other', 404, 1)
    assert.ok(metrics.print().text.includes('\nregatta_server_requests_total{protocol="other",status="404"} 1\n'))
    version[Symbol.dispose]()
    assert.doesNotMatch(metrics.print().text, /model="m"/)
  })

  it('keeps two versions apart, and has each family once', () => {
    const { metrics } = openUsed()
    metrics.openVersion('m', 3, () => 0).onRun(RUN)
    const { text } = metrics.print()
    assert.ok(text.includes('inference_rows_total{model="m",version="3"} 3\n'))
    const types = text.split('\n').filter(line => line.startsWith('# TYPE '))
    assert.equal(new Set(types).size, types.length)
  })

  it("prints TensorFlow Serving's page, all versions of a model together", () => {
    const { metrics, version } = openUsed()
    metrics.openVersion('m', 3, () => 0).onRequest('tfs', 200, 0.015)
    version.onWarmUp('/models/m/2', 5, 2)
    const { text, contentType } = metrics.printTfs()
    assert.match(contentType, /^text\/plain/)
    for (const line of [
      '# TYPE :tensorflow:serving:request_count counter',
      ':tensorflow:serving:request_count{model_name="m",status="OK"} 3',
      ':tensorflow:serving:request_count{model_name="m",status="RESOURCE_EXHAUSTED"} 1',
      '# TYPE :tensorflow:serving:request_latency histogram',
      ':tensorflow:serving:request_latency_bucket{model_name="m",API="predict",entrypoint="REST",le="10"} 0',
      ':tensorflow:serving:request_latency_bucket{model_name="m",API="predict",entrypoint="REST",le="18"} 1',
      ':tensorflow:serving:request_latency_sum{model_name="m",API="infer",entrypoint="REST"} 40000',
      ':tensorflow:serving:runtime_latency_sum{model_name="m",API="infer",runtime="ONNXRuntime"} 8000',
      ':tensorflow:serving:request_example_counts_count{model="m"} 2',
      ':tensorflow:serving:request_example_count_total{model="m"} 3',
      ':tensorflow:serving:batching_session:queuing_latency_sum{thread_pool_name="m"} 3000',
      ':tensorflow:serving:batching_session:wrapped_run_count{model_name="m"} 1',
      ':tensorflow:serving:model_warmup_records_read{model_path="/models/m/2",status="OK"} 5',
    ])
      assert.ok(text.includes(`${line}\n`), line)
    assert.equal(text.match(/request_latency_bucket{model_name="m",API="predict"/g)?.length, 34)
  })

  it('tells the statistics of a version', () => {
    const { version } = openUsed()
    const compute = { computeInput: 1, computeInfer: 4, computeOutput: 2 }
    const { batches, ...all } = version.statistics()
    assert.deepEqual(all, {
      lastInferenceAt: 5_000,
      inferenceCount: 3,
      executionCount: 1,
      success: { count: 2, ns: 18e6 },
      fail: { count: 1, ns: 3e6 },
      queue: { count: 2, ns: 3e6 },
      computeInput: { count: 2, ns: 2 * compute.computeInput * 1e6 },
      computeInfer: { count: 2, ns: 2 * compute.computeInfer * 1e6 },
      computeOutput: { count: 2, ns: 2 * compute.computeOutput * 1e6 },
    })
    assert.deepEqual(batches, [
      {
        rows: 3,
        computeInput: { count: 1, ns: 1e6 },
        computeInfer: { count: 1, ns: 4e6 },
        computeOutput: { count: 1, ns: 2e6 },
      },
    ])
  })
})
