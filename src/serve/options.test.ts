import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ServerOptions, toLimits, toLoadLimits } from './options.ts'

const base = { models: [], httpPort: 0 }

describe('toLimits()', () => {
  it('leaves a core to what is not inference, where there are several', () => {
    assert.deepEqual(
      [1, 2, 8].map(cores => toLimits(base, cores).engineThreads),
      [1, 1, 7],
    )
    assert.equal(toLimits({ ...base, engineThreads: 3 }, 1).engineThreads, 3)
  })

  const names = ['intraOpThreads', 'maxBodyBytes', 'maxInFlight', 'maxInFlightBytes', 'maxWaiting'] as const
  const more = ['maxRunBytes', 'engineThreads', 'requestTimeoutMs', 'drainMs'] as const
  for (const name of [...names, ...more])
    it(`refuses 0 and fractions as ${name}, and takes 1`, () => {
      for (const value of [0, 1.5])
        assert.throws(() => toLimits({ ...base, [name]: value }, 2), {
          code: 'LIMITS',
          message: `Cannot use ${value} as ${name}: expected a whole number from 1 on`,
        })
      assert.equal(toLimits({ ...base, [name]: 1 }, 2)[name], 1)
    })
})

describe('toLoadLimits()', () => {
  it('looks at the disk once, tries once and loads one version at a time unless told otherwise', () =>
    assert.deepEqual(toLoadLimits(base), {
      ...{ maxLoadRetries: 0, loadRetryMs: 60_000, parallelLoads: 1, pollMs: 0 },
      allowLabelsOnUnavailable: false,
    }))

  const wrong: readonly [Partial<ServerOptions>, number][] = [
    [{ maxLoadRetries: -1 }, 0],
    [{ loadRetryMs: -1 }, 0],
    [{ parallelLoads: 0 }, 1],
    [{ pollMs: -2 }, -1],
  ]
  for (const [options, least] of wrong)
    it(`refuses ${JSON.stringify(options)}`, () => {
      const message = new RegExp(`expected a whole number from ${least} on$`)
      assert.throws(() => toLoadLimits({ ...base, ...options }), { code: 'LIMITS', message })
    })
})
