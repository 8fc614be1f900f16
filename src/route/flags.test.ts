import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseFlags, type Secrets } from './flags.ts'

const NEEDED = ['--control-url', 'http://127.0.0.1:8400', '--routes-file', 'r.json', '--spool', 's.ndjson']

const toSecrets = (token: string | undefined, predictTokens?: string): Secrets => ({ token, predictTokens })

describe('parseFlags()', () => {
  it('reads what a supervisor sets, and listens on this machine alone where it does not say', () => {
    const rest = {
      controlUrl: 'http://127.0.0.1:8400',
      routesFile: 'r.json',
      spoolFile: 's.ndjson',
      token: 't',
      replicaHost: undefined,
      leaveMs: 0,
    }
    const access = { tokens: [], origins: [] }
    const tlsFiles = undefined
    assert.deepEqual(parseFlags(NEEDED, toSecrets('t')), {
      host: '127.0.0.1',
      port: 8501,
      grpcPort: 8500,
      ...rest,
      tlsFiles,
      access,
    })
    assert.deepEqual(parseFlags(['--host', '::', '--http-port', '0', '--grpc-port', '0', ...NEEDED], toSecrets('t')), {
      host: '::',
      port: 0,
      grpcPort: 0,
      ...rest,
      tlsFiles,
      access,
    })
  })

  it('reads the files of certificates', () => {
    const files = ['--tls-cert', 'c.pem', '--tls-key', 'k.pem']
    assert.deepEqual(parseFlags([...NEEDED, ...files], toSecrets('t')).tlsFiles, {
      cert: 'c.pem',
      key: 'k.pem',
      clientCa: undefined,
    })
    const { tlsFiles } = parseFlags([...NEEDED, ...files, '--tls-client-ca', 'ca.pem'], toSecrets('t'))
    assert.equal(tlsFiles?.clientCa, 'ca.pem')
  })

  it('reads who may ask for predictions', () => {
    const origins = ['--cors-origin', 'https://a.example', '--cors-origin', '*']
    assert.deepEqual(parseFlags([...NEEDED, ...origins], toSecrets('t', 'one two')).access, {
      tokens: ['one', 'two'],
      origins: ['https://a.example', '*'],
    })
  })

  for (const tokens of ['', ' ', 'one  two', 'o\nne'])
    it(`refuses ${JSON.stringify(tokens)} as tokens, which would open what was to be closed`, () =>
      assert.throws(() => parseFlags(NEEDED, toSecrets('t', tokens)), { message: /REGATTA_PREDICT_TOKENS: expected/ }))

  const wrong: readonly [string, readonly string[], string | undefined, RegExp][] = [
    ['a flag that it does not know', ['--port', '1', ...NEEDED], 't', /Cannot use these flags: .*--port/],
    ['a port that is none', ['--http-port', '70000', ...NEEDED], 't', /--http-port 70000: expected 0–65535/],
    ['a port of gRPC that is none', ['--grpc-port', '-1', ...NEEDED], 't', /these flags: .*--grpc-port/],
    ['a certificate without its key', [...NEEDED, '--tls-cert', 'c.pem'], 't', /no --tls-key/],
    ['clients’ certificates without its own', [...NEEDED, '--tls-client-ca', 'c.pem'], 't', /no --tls-cert/],
    ['a port that is no number', ['--http-port', '1e3', ...NEEDED], 't', /--http-port 1e3: expected/],
    ['no address of control', NEEDED.slice(2), 't', /no --control-url/],
    ['another scheme', ['--control-url', 'ftp://h', ...NEEDED.slice(2)], 't', /expected an http:\/\/ URL/],
    ['no file of routes', NEEDED.toSpliced(2, 2), 't', /no --routes-file/],
    ['no spool', NEEDED.slice(0, 4), 't', /no --spool/],
    ['an origin with a path', [...NEEDED, '--cors-origin', 'https://a.example/x'], 't', /expected an origin/],
    ['no token', NEEDED, undefined, /REGATTA_TOKEN/],
    ['a token that no header can carry', NEEDED, 'a\nb', /REGATTA_TOKEN: expected the token for control/],
  ]
  for (const [name, args, token, message] of wrong)
    it(`refuses ${name}`, () =>
      assert.throws(() => parseFlags(args, toSecrets(token)), { code: 'GATEWAY_FLAGS', message }))
})
