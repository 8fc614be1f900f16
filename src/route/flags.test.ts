import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseFlags } from './flags.ts'

const NEEDED = ['--control-url', 'http://127.0.0.1:8400', '--routes-file', 'r.json', '--spool', 's.ndjson']

describe('parseFlags()', () => {
  it('reads what a supervisor sets, and listens on this machine alone where it does not say', () => {
    const rest = { controlUrl: 'http://127.0.0.1:8400', routesFile: 'r.json', spoolFile: 's.ndjson', token: 't' }
    assert.deepEqual(parseFlags(NEEDED, 't'), { host: '127.0.0.1', port: 8501, ...rest })
    assert.deepEqual(parseFlags(['--host', '::', '--http-port', '0', ...NEEDED], 't'), { host: '::', port: 0, ...rest })
  })

  const wrong: readonly [string, readonly string[], string | undefined, RegExp][] = [
    ['a flag that it does not know', ['--port', '1', ...NEEDED], 't', /Cannot use these flags: .*--port/],
    ['a port that is none', ['--http-port', '70000', ...NEEDED], 't', /--http-port 70000: expected 0–65535/],
    ['a port that is no number', ['--http-port', '1e3', ...NEEDED], 't', /--http-port 1e3: expected/],
    ['no address of control', NEEDED.slice(2), 't', /no --control-url/],
    ['another scheme', ['--control-url', 'ftp://h', ...NEEDED.slice(2)], 't', /expected an http:\/\/ URL/],
    ['no file of routes', NEEDED.toSpliced(2, 2), 't', /no --routes-file/],
    ['no spool', NEEDED.slice(0, 4), 't', /no --spool/],
    ['no token', NEEDED, undefined, /REGATTA_TOKEN/],
    ['a token that no header can carry', NEEDED, 'a\nb', /REGATTA_TOKEN: expected the token for control/],
  ]
  for (const [name, args, token, message] of wrong)
    it(`refuses ${name}`, () => assert.throws(() => parseFlags(args, token), { code: 'GATEWAY_FLAGS', message }))
})
