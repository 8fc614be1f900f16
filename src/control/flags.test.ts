import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseFlags } from './flags.ts'

describe('parseFlags()', () => {
  it('reads a folder, and takes the working folder where none is given', () => {
    const token = 'a.b_c-d'
    assert.deepEqual(parseFlags(['--project', '/project', '--target', 'local'], token), { project: '/project', token })
    assert.equal(parseFlags([], token).project, '.')
  })

  const wrong: [name: string, args: readonly string[], token: string | undefined, message: RegExp][] = [
    ['a target that it does not know', ['--target', 'moon'], 'x', /--target moon: expected local/],
    ['a flag that it does not know', ['--port', '1'], 'x', /--port/],
    ['no token', [], undefined, /REGATTA_TOKEN/],
    ['an empty token', [], '', /REGATTA_TOKEN/],
    ['a token of more than one line', [], 'a\nb', /REGATTA_TOKEN/],
  ]
  for (const [name, args, token, message] of wrong) {
    it(`refuses ${name}`, () => assert.throws(() => parseFlags(args, token), { code: 'CONTROL_FLAGS', message }))
  }
})
