import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toChildEnvironment } from './environment.ts'

describe('toChildEnvironment()', () => {
  it('passes what a program needs and holds back what nobody named', () => {
    const named = { PATH: '/bin', LC_ALL: 'C', NODE_COMPILE_CACHE: '/cache' }
    const inherited = { ...named, AWS_SECRET_ACCESS_KEY: 'x', REGATTA_TOKEN: 'admin', MY_PATH: '/' }
    assert.deepEqual(toChildEnvironment(inherited, 'mark', { REGATTA_TOKEN: 'gateway' }), {
      ...named,
      REGATTA_TOKEN: 'gateway',
      ORT_DISABLE_TELEMETRY: '1',
      REGATTA_SUPERVISOR: 'mark',
    })
  })
})
