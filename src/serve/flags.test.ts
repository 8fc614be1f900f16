import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseFlags, parseSecurityFlags } from './flags.ts'
import { toSingleModel } from './options.ts'

describe('parseFlags()', () => {
  it('reads what the supervisor gives, and the bounds', () => {
    const flags = ['--model-name', 'm', '--model-base-path', '/models/m', '--host', '0.0.0.0', '--http-port', '0']
    const models = [toSingleModel('m', '/models/m')]
    const wanted = { models, host: '0.0.0.0', httpPort: 0, grpcPort: 8500, batching: {} }
    assert.deepEqual(parseFlags(flags), wanted)
    assert.equal(parseFlags([...flags, '--grpc-port', '0']).grpcPort, 0)
    assert.deepEqual(parseFlags([...flags, '--intra-op-threads', '2', '--drain-ms=500']), {
      ...wanted,
      intraOpThreads: 2,
      drainMs: 500,
    })
    const batching = [
      '--batch-max-rows',
      '8',
      '--batch-max-delay-ms',
      '0',
      '--engine-threads',
      '3',
      '--max-run-bytes=9',
    ]
    assert.deepEqual(parseFlags([...flags, ...batching]), {
      ...wanted,
      batching: { maxRows: 8, maxDelayMs: 0 },
      engineThreads: 3,
      maxRunBytes: 9,
    })
  })

  it('reads a file of models, and how the disk is looked at', () => {
    const file = ['--model-config-file', '/m.config', '--model-config-file-poll-wait-seconds', '30']
    assert.deepEqual(parseFlags(file).models, { path: '/m.config', pollMs: 30_000 })
    const looks = ['--file-system-poll-wait-seconds', '2', '--max-num-load-retries=3', '--load-retry-interval-ms=10']
    const { pollMs, maxLoadRetries, loadRetryMs } = parseFlags(['--model-base-path', '/m', ...looks])
    assert.deepEqual([pollMs, maxLoadRetries, loadRetryMs], [2000, 3, 10])
    assert.equal(parseFlags(['--model-base-path', '/m', '--file-system-poll-wait-seconds=-1']).pollMs, -1)
  })

  it('reads paths below a folder, and switches', () => {
    const flags = ['--model-base-path', 'm', '--cors', '--allow-model-control', '--token-file=t', '--max-in-flight=7']
    const { models, cors, allowModelControl, maxInFlight } = parseFlags(flags, '/base')
    assert.deepEqual(
      [models, cors, allowModelControl, maxInFlight],
      [[toSingleModel('model', '/base/m')], true, true, 7],
    )
    assert.equal(parseSecurityFlags(flags, '/base').tokenFile, '/base/t')
  })

  const base = ['--model-base-path', '/models/m']
  const wrong: readonly [flags: string[], message: RegExp][] = [
    [[], /^Cannot start without --model-base-path/],
    [[...base, '--nonsense'], /--nonsense/],
    [[...base, 'word'], /word/],
    [[...base, '--http-port', '65536'], /^Cannot use "65536" as --http-port/],
    [[...base, '--grpc-port', 'x'], /^Cannot use "x" as --grpc-port/],
    [[...base, '--model-config-file', '/m.config'], /^Cannot use --model-config-file with --model-name/],
    [[...base, '--model-config-file-poll-wait-seconds', '1'], /without --model-config-file$/],
    [[...base, '--file-system-poll-wait-seconds=-2'], /^Cannot use "-2" as --file-system-poll-wait-seconds/],
    [[...base, '--max-waiting', 'many'], /^Cannot use "many" as --max-waiting/],
  ]
  for (const [flags, message] of wrong) {
    it(`refuses ${flags.join(' ') || 'nothing'}`, () => {
      assert.throws(() => parseFlags(flags), { code: 'USAGE', message })
    })
  }
})
