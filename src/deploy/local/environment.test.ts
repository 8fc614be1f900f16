import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toChildEnvironment } from './environment.ts'

describe('toChildEnvironment()', () => {
  it('passes what a program needs and holds back what nobody named', () => {
    const inherited = { PATH: '/bin', LC_ALL: 'C', AWS_SECRET_ACCESS_KEY: 'x', REGATTA_TOKEN: 'admin', MY_PATH: '/' }
    assert.deepEqual(toChildEnvironment(inherited, 'mark', { REGATTA_TOKEN: 'gateway' }), {
      PATH: '/bin',
      LC_ALL: 'C',
      REGATTA_TOKEN: 'gateway',
      ORT_DISABLE_TELEMETRY: '1',
      REGATTA_SUPERVISOR: 'mark',
    })
  })
})
