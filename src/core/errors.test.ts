import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { RegattaError, toErrorText, toSystemCode, UsageError } from './errors.ts'

describe('RegattaError', () => {
  it('says in its message what failed and where', () => {
    const cause = new Error('deeper')
    const error = new RegattaError('SOME_CODE', 'Cannot do it', { where: '/a/b', fix: 'Do that', cause })
    assert.equal(error.message, 'Cannot do it (/a/b)')
    assert.deepEqual(
      [error.name, error.code, error.where, error.fix, error.cause, error.retryable],
      ['RegattaError', 'SOME_CODE', '/a/b', 'Do that', cause, false],
    )
  })
  it('says less where less is known', () => {
    const error = new RegattaError('SOME_CODE', 'Cannot do it')
    assert.deepEqual(
      [error.message, error.where, error.fix, error.cause],
      ['Cannot do it', undefined, undefined, undefined],
    )
  })
})

describe('UsageError', () => {
  it('is told from work that failed', () => {
    const error = new UsageError('SOME_CODE', 'Cannot do it')
    assert.ok(error instanceof RegattaError)
    assert.equal(error.name, 'UsageError')
    assert.ok(!(new RegattaError('SOME_CODE', 'Cannot do it') instanceof UsageError))
  })
})

describe('toErrorText()', () => {
  it('joins the messages of causes and shows no stack', () => {
    const inner = new Error('inner', { cause: 'a plain text' })
    assert.equal(toErrorText(new RegattaError('CODE', 'outer', { cause: inner })), 'outer: inner: a plain text')
  })
  it('takes any thrown value', () => {
    assert.deepEqual([undefined, null, 5, 'x'].map(toErrorText), ['undefined', 'null', '5', 'x'])
  })
})

describe('toSystemCode()', () => {
  it("gives the system's code, and undefined for what has none", async () => {
    const error = await readFile('/no/such/file').catch(error => error)
    assert.equal(toSystemCode(error), 'ENOENT')
    const others = [new Error('x'), Object.assign(new Error('x'), { code: 5 }), { code: 'ENOENT' }, undefined]
    assert.deepEqual(others.map(toSystemCode), [undefined, undefined, undefined, undefined])
  })
})
