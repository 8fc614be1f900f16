import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { resolveLocation, toCredentialKeys, toOrigins, toPublicText } from './endpoint.ts'

describe('toOrigins()', () => {
  for (const [registry, insecure, wanted] of [
    ['registry.example.com', false, ['https://registry.example.com']],
    ['registry.example.com:5000', true, ['https://registry.example.com:5000', 'http://registry.example.com:5000']],
    ['127.0.0.1:5000', false, ['http://127.0.0.1:5000', 'https://127.0.0.1:5000']],
    ['localhost:5000', false, ['http://localhost:5000', 'https://localhost:5000']],
    ['[::1]:5000', false, ['http://[::1]:5000', 'https://[::1]:5000']],
    ['127.0.0.1.example.com', false, ['https://127.0.0.1.example.com']],
    ['docker.io', false, ['https://registry-1.docker.io']],
  ] as const) {
    it(`speaks to ${registry} by ${wanted.join(', then ')}`, () => {
      assert.deepEqual(
        toOrigins(registry, insecure).map(({ origin }) => origin),
        wanted,
      )
    })
  }
})

it('toCredentialKeys() knows Docker Hub by its old name', () => {
  assert.equal(toCredentialKeys('docker.io')[0], 'https://index.docker.io/v1/')
  assert.equal(toCredentialKeys('r.io:5000')[0], 'r.io:5000')
})

describe('resolveLocation()', () => {
  const base = new URL('https://r.io/v2/a/blobs/uploads/')
  const trust = { origin: new URL('https://r.io'), insecure: false }
  for (const [text, wanted] of [
    ['/v2/a/blobs/uploads/1?_state=a%2Bb', 'https://r.io/v2/a/blobs/uploads/1?_state=a%2Bb'],
    ['1', 'https://r.io/v2/a/blobs/uploads/1'],
    ['https://r.io/x', 'https://r.io/x'],
    ['//r.io/x', 'https://r.io/x'],
    ['https://storage.example.com/x?sig=1', 'https://storage.example.com/x?sig=1'],
    // A registry behind a proxy that ends TLS.
    ['http://r.io/x?y', 'https://r.io/x?y'],
  ] as const) {
    it(`follows ${text}`, () => assert.equal(resolveLocation(text, base, trust).href, wanted))
  }

  for (const text of [
    undefined,
    'http://[::',
    'ftp://r.io/x',
    'file:///etc/passwd',
    'http://storage.example.com/x',
    'http://127.0.0.1/x',
    'https://127.0.0.1/x',
    'https://10.0.0.1/x',
    'https://192.168.1.1/x',
    'https://172.16.0.1/x',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/x',
    'https://[fd00::1]/x',
    'https://localhost/x',
    'https://2130706433/x',
    'https://0x7f.1/x',
  ]) {
    it(`refuses ${text}`, () => {
      assert.throws(() => resolveLocation(text, base, trust), { code: 'REGISTRY_LOCATION' })
    })
  }

  it('follows a private registry to private addresses, and plain HTTP with --insecure', () => {
    const own = { origin: new URL('http://10.0.0.1:5000'), insecure: true }
    assert.equal(resolveLocation('http://10.0.0.2/x', own.origin, own).href, 'http://10.0.0.2/x')
    const open = { ...trust, insecure: true }
    assert.equal(resolveLocation('http://storage.example.com/x', base, open).protocol, 'http:')
  })
})

it('toPublicText() shows no user, password and query', () => {
  assert.equal(toPublicText(new URL('https://user:secret@r.io/a?token=secret#secret')), 'https://r.io/a')
})
