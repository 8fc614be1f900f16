import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseFlags } from './flags.ts'
import { toSingleModel } from './options.ts'

describe('parseFlags()', () => {
  it('reads what the supervisor gives, and the bounds', () => {
    const flags = ['--model-name', 'm', '--model-base-path', '/models/m', '--host', '0.0.0.0', '--http-port', '0']
    const wanted = { models: [toSingleModel('m', '/models/m')], host: '0.0.0.0', httpPort: 0 }
    assert.deepEqual(parseFlags(flags), wanted)
    assert.deepEqual(parseFlags([...flags, '--intra-op-threads', '2', '--drain-ms=500']), {
      ...wanted,
      intraOpThreads: 2,
      drainMs: 500,
    })
  })

  const base = ['--model-base-path', '/models/m']
  const wrong: readonly [flags: string[], message: RegExp][] = [
    [[], /^Cannot start without --model-base-path/],
    [[...base, '--nonsense'], /--nonsense/],
    [[...base, 'word'], /word/],
    [[...base, '--http-port', '65536'], /^Cannot use "65536" as --http-port/],
    [[...base, '--max-waiting', 'many'], /^Cannot use "many" as --max-waiting/],
  ]
  for (const [flags, message] of wrong) {
    it(`refuses ${flags.join(' ') || 'nothing'}`, () => {
      assert.throws(() => parseFlags(flags), { code: 'USAGE', message })
    })
  }
})
