import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OptionError, parseOptions } from './options.ts'

const ALL = ['regatta', 'fastapi', 'kserve']

describe('parseOptions()', () => {
  it('measures everything by default', () => {
    const { models, contenders, rounds, seconds, json } = parseOptions([], ALL)
    assert.deepEqual([models, contenders], [['mlp', 'rnn', 'cnn'], ALL])
    assert.deepEqual([rounds, seconds, json], [3, 2, undefined])
  })

  it('keeps the order of the table', () => {
    const { models, contenders } = parseOptions(['--models', 'cnn,mlp', '--contenders', 'kserve,regatta'], ALL)
    assert.deepEqual(
      [models, contenders],
      [
        ['mlp', 'cnn'],
        ['regatta', 'kserve'],
      ],
    )
  })

  it('takes parts of a minute', () => assert.equal(parseOptions(['--memory-minutes', '0.5'], ALL).memoryMinutes, 0.5))

  const wrong = [
    ['an unknown model', ['--models', 'mlp,bert'], /"bert" in --models: expected some of mlp, rnn, cnn/],
    ['an unknown contender', ['--contenders', 'ray'], /"ray" in --contenders: expected some of regatta, fastapi/],
    ['no rounds', ['--rounds', '0'], /"0" as --rounds: expected 1 to 99/],
    ['half a second', ['--seconds', '1.5'], /"1.5" as --seconds: expected 1 to 99/],
    ['an unknown option', ['--fast'], /Unknown option '--fast'/],
  ] as const
  for (const [name, args, message] of wrong) {
    it(`rejects ${name}`, () =>
      assert.throws(
        () => parseOptions(args, ALL),
        error => error instanceof OptionError && message.test(error.message),
      ))
  }
})
