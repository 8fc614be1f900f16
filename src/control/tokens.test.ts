import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkAccess } from './guard.ts'
import { toScopedToken, toScopeOf } from './tokens.ts'

describe('toScopeOf()', () => {
  const scopeOf = toScopeOf('admin-token')

  it('knows the token of every scope, and no other', () => {
    for (const scope of ['truth', 'read', 'gateway', 'predict'] as const)
      assert.equal(scopeOf(toScopedToken('admin-token', scope)), scope)
    assert.equal(scopeOf('admin-token'), 'admin')
    assert.equal(scopeOf(toScopedToken('another', 'predict')), undefined)
  })

  it('gives a client that may predict nothing of control', () => {
    const bearer = `Bearer ${toScopedToken('admin-token', 'predict')}`
    for (const access of ['admin', 'truth', 'read', 'gateway'] as const)
      assert.throws(() => checkAccess(access, bearer, { scopeOf, boundHost: '0.0.0.0' }), { code: 'FORBIDDEN' })
  })
})
