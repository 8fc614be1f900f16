import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDigest, parseVariantName } from '../../core/brands.ts'
import type { Role, RouteVariant } from '../../core/wire/routes.ts'
import { chooseVariant } from './variant-choice.ts'

const variant = (id: number, name: string, version: number, role: Role, weight: number): RouteVariant => ({
  id,
  name: parseVariantName(name),
  version,
  digest: parseDigest(`sha256:${'0'.repeat(64)}`),
  role,
  weight,
  replicas: [],
})
const variants = [
  variant(1, 'a', 3, 'champion', 0.75),
  variant(2, 'b', 4, 'split', 0.25),
  variant(3, 'c', 3, 'shadow', 0),
  variant(4, 'd', 2, 'standby', 0),
]
const hints = { pin: undefined, entity: undefined, random: () => 0 }
const version = (text: string) => ({ pin: { kind: 'version' as const, text } })
const label = (text: string) => ({ pin: { kind: 'label' as const, text } })

describe('chooseVariant()', () => {
  const table: readonly [string, object, object | undefined][] = [
    ['takes the champion for a low number', { random: () => 0.74 }, { name: 'a', propensity: 0.75, pinned: false }],
    ['takes the split for a high number', { random: () => 0.76 }, { name: 'b', propensity: 0.25, pinned: false }],
    ['takes the variant of a version', version('4'), { name: 'b', propensity: 1, pinned: true }],
    ['prefers the champion among equal versions', version('3'), { name: 'a', propensity: 1, pinned: true }],
    ['takes no standby', version('2'), undefined],
    ['takes no version that is not there', version('v4'), undefined],
    ['takes the champion for its label', label('champion'), { name: 'a', propensity: 1, pinned: true }],
    ['takes the champion as the stable one', label('stable'), { name: 'a', propensity: 1, pinned: true }],
    ['takes a variant by its name', label('c'), { name: 'c', propensity: 1, pinned: true }],
    ['takes no standby by its name', label('d'), undefined],
    ['takes nobody for another label', label('canary'), undefined],
  ]
  for (const [name, more, wanted] of table)
    it(name, () => {
      const choice = chooseVariant(variants, { ...hints, ...more })
      const { variant: chosen, ...rest } = choice ?? {}
      assert.deepEqual(chosen === undefined ? undefined : { name: chosen.name, ...rest }, wanted)
    })

  it('keeps an entity with its variant, whatever chance says', () => {
    for (const entity of ['u1', 'u2', 'u3', 'u4', 'u5', 'u6']) {
      const names = [0, 0.5, 0.99].map(
        at => chooseVariant(variants, { ...hints, entity, random: () => at })?.variant.name,
      )
      assert.equal(new Set(names).size, 1)
    }
  })

  it('lets the name of a variant go before a word for the champion', () =>
    assert.equal(
      chooseVariant([...variants, variant(5, 'stable', 5, 'shadow', 0)], { ...hints, ...label('stable') })?.variant.id,
      5,
    ))
})
