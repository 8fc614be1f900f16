import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSamePolicy, LATEST, pickVersions, type VersionPolicy } from './version-policy.ts'

describe('pickVersions()', () => {
  const table: readonly [VersionPolicy, readonly number[]][] = [
    [LATEST, [10]],
    [{ kind: 'latest', count: 2 }, [10, 9]],
    [{ kind: 'latest', count: 0 }, [10]],
    [{ kind: 'latest', count: 9 }, [10, 9, 1]],
    [{ kind: 'all' }, [10, 9, 1]],
    [{ kind: 'specific', versions: [1, 2, 9] }, [9, 1]],
  ]
  for (const [policy, wanted] of table)
    it(`picks [${wanted}] by ${JSON.stringify(policy)}`, () =>
      assert.deepEqual(pickVersions(policy, [9, 1, 10]), wanted))
})

describe('isSamePolicy()', () => {
  const policies: readonly VersionPolicy[] = [
    LATEST,
    { kind: 'latest', count: 2 },
    { kind: 'all' },
    { kind: 'specific', versions: [1] },
    { kind: 'specific', versions: [1, 2] },
  ]
  it('tells each policy from all others, whoever made it', () => {
    for (const [at, policy] of policies.entries())
      for (const [other, copy] of structuredClone(policies).entries())
        assert.equal(isSamePolicy(policy, copy), at === other, `${JSON.stringify([policy, copy])}`)
  })
})
