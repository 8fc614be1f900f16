import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDigest, parseVariantName } from '../../core/brands.ts'
import { RegattaError } from '../../core/errors.ts'
import type { Routes } from '../../core/wire/routes.ts'
import { toProject } from '../testing/place.ts'
import { toFirstRoutes, toFirstVariant } from './deployed.ts'
import { toWishedPlan } from './planning.ts'

const project = { ...toProject('/nowhere', {}), name: 'm' }
const toDigest = (version: number): string => `sha256:${String(version).repeat(64)}`
/** What runs after a promotion: b is the champion with id 4, a stands by with id 1. */
const promoted: Routes = (() => {
  const first = toFirstVariant(project, { version: 1, digest: parseDigest(toDigest(1)) })
  const routes = toFirstRoutes(project, first)
  const [a] = routes.variants
  if (a === undefined) return assert.fail()
  const b = { ...a, id: 4, name: parseVariantName('b'), version: 2, digest: parseDigest(toDigest(2)) }
  return { ...routes, epoch: 7, variants: [{ ...a, role: 'standby', weight: 0 }, b] }
})()

describe('toWishedPlan()', () => {
  const plan = (version: number, more: object = {}, routes = promoted): readonly string[] =>
    toWishedPlan(project, routes, { version, digest: toDigest(version), ...more }, 5).variants.map(
      ({ id, name, version }) => `${name}-${id} v${version}`,
    )

  it('gives the champion of now another version, and lets the one before go', () => {
    assert.deepEqual(plan(3), ['a-1 v1', 'b-5 v3'])
  })

  it('changes nothing where the version is the champion, or only its place', () => {
    assert.deepEqual(plan(2), ['a-1 v1', 'b-4 v2'])
    assert.deepEqual(plan(1, { variant: 'a' }), ['a-1 v1'])
  })

  it('puts a challenger beside them', () => {
    const challenger = { mode: 'shadow' }
    assert.deepEqual(plan(3, { variant: 'c', challenger }), ['a-1 v1', 'b-4 v2', 'c-5 v3'])
    const isTaken = (error: unknown): boolean => error instanceof RegattaError && error.code === 'NAME_TAKEN'
    assert.throws(() => plan(3, { variant: 'b', challenger }), isTaken)
  })

  it('begins with the name of regatta.yaml', () => {
    assert.deepEqual(
      toWishedPlan(project, undefined, { version: 1, digest: toDigest(1) }, 1).variants.map(({ id, name }) => [
        id,
        name,
      ]),
      [[1, 'a']],
    )
  })
})
