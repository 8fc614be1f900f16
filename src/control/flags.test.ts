import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseFlags } from './flags.ts'

describe('parseFlags()', () => {
  it('reads a folder, and takes the working folder where none is given', () => {
    const token = 'a.b_c-d'
    const usual = { target: 'local', namespace: undefined, port: 8400, token, one: undefined }
    assert.deepEqual(parseFlags(['--project', '/project', '--target', 'local'], token), {
      ...usual,
      project: '/project',
      state: '/project',
    })
    assert.equal(parseFlags([], token).project, '.')
  })

  it('reads what a control in a cluster needs', () => {
    const args = ['--target', 'kubernetes', '--project', '/p', '--state', '/s', '--namespace', 'team', '--port', '1']
    assert.deepEqual(parseFlags(args, 't'), {
      ...{ target: 'kubernetes', project: '/p', state: '/s', namespace: 'team', port: 1, token: 't' },
      one: undefined,
    })
    const { one } = parseFlags([...args, '--holder', 'c-1', '--address', '10.0.0.1'], 't')
    assert.deepEqual(one, { holder: 'c-1', address: '10.0.0.1' })
  })

  const wrong: [name: string, args: readonly string[], token: string | undefined, message: RegExp][] = [
    ['a target that it does not know', ['--target', 'moon'], 'x', /--target moon: expected local or kubernetes/],
    ['a flag that it does not know', ['--colour', '1'], 'x', /--colour/],
    ['a port that is none', ['--port', '70000'], 'x', /--port 70000/],
    ['a holder without an address', ['--target', 'kubernetes', '--holder', 'c'], 'x', /--holder and --address/],
    ['a holder on one machine', ['--holder', 'c', '--address', '::1'], 'x', /--holder and --address/],
    ['no token', [], undefined, /REGATTA_TOKEN/],
    ['an empty token', [], '', /REGATTA_TOKEN/],
    ['a token of more than one line', [], 'a\nb', /REGATTA_TOKEN/],
  ]
  for (const [name, args, token, message] of wrong) {
    it(`refuses ${name}`, () => assert.throws(() => parseFlags(args, token), { code: 'CONTROL_FLAGS', message }))
  }
})
