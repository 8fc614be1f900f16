import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { it } from 'node:test'
import { isPrivateKey, isSecretPath, mayHoldKey } from './secrets.ts'

const SECRET = [
  '.env',
  '.env.production',
  'a/.ENV',
  'id_rsa',
  'keys/id_ed25519',
  '.netrc',
  '.npmrc',
  '.pypirc',
  '.git-credentials',
  'credentials',
  'credentials.json',
  'service-account-prod.json',
  'client_secret_1.json',
  'store.p12',
  'a.kdbx',
  '.ssh/config',
  'home/.aws/config',
  '.docker/config.json',
  '.kube/config',
]
const PLAIN = [
  'model.onnx',
  '.env.example',
  'env',
  'id_rsa.pub',
  'credentials.md',
  'labels.json',
  'account.json',
  'ssh/config',
  'environment',
]

for (const path of SECRET) it(`isSecretPath() tells ${path}`, () => assert.ok(isSecretPath(path)))
for (const path of PLAIN) it(`isSecretPath() passes over ${path}`, () => assert.ok(!isSecretPath(path)))

it('isPrivateKey() tells private keys from public ones and certificates', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  assert.ok(isPrivateKey(Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }))))
  assert.ok(isPrivateKey(Buffer.from('Bag Attributes\n-----BEGIN ENCRYPTED PRIVATE KEY-----\n')))
  assert.ok(isPrivateKey(Buffer.from('-----BEGIN PGP PRIVATE KEY BLOCK-----\n')))
  assert.ok(!isPrivateKey(Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }))))
  assert.ok(!isPrivateKey(Buffer.from('-----BEGIN CERTIFICATE-----\n')))
  assert.deepEqual(['a.PEM', 'b.key', 'c.pem.txt'].map(mayHoldKey), [true, true, false])
})
