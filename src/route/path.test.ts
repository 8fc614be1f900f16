import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { classifyPath, isRepeatable, toVersionTarget } from './path.ts'

describe('classifyPath()', () => {
  const table: readonly [string, string, object][] = [
    ['POST', '/v1/models/forecast:predict', { kind: 'predict', protocol: 'v1', pin: undefined }],
    ['POST', '/V1/Models/forecast:PREDICT', { kind: 'predict', protocol: 'v1', pin: undefined }],
    [
      'POST',
      '/v1/models/fore%63ast/versions/7:predict',
      { kind: 'predict', protocol: 'v1', pin: { kind: 'version', text: '7' } },
    ],
    [
      'POST',
      '/v1/models/forecast/labels/best:predict',
      { kind: 'predict', protocol: 'v1', pin: { kind: 'label', text: 'best' } },
    ],
    ['POST', '/v2/models/forecast/infer', { kind: 'predict', protocol: 'v2', pin: undefined }],
    [
      'POST',
      '/v2/models/forecast/versions/v10/infer',
      { kind: 'predict', protocol: 'v2', pin: { kind: 'version', text: 'v10' } },
    ],
    ['GET', '/v1/models/forecast:predict', { kind: 'model', protocol: 'v1', pin: undefined }],
    [
      'GET',
      '/v1/models/forecast/versions/3/metadata',
      { kind: 'model', protocol: 'v1', pin: { kind: 'version', text: '3' } },
    ],
    ['POST', '/v1/models/forecast:classify', { kind: 'predict', protocol: 'v1', pin: undefined }],
    ['POST', '/v1/models/forecast:Regress', { kind: 'predict', protocol: 'v1', pin: undefined }],
    ['POST', '/v1/models/forecast:explain', { kind: 'model', protocol: 'v1', pin: undefined }],
    [
      'GET',
      '/v2/models/forecast/versions/3/stats',
      { kind: 'model', protocol: 'v2', pin: { kind: 'version', text: '3' } },
    ],
    ['POST', '/v2/repository/index', { kind: 'other' }],
    ['POST', '/v2/repository/models/forecast/load', { kind: 'closed' }],
    ['POST', '/v2/repository/models/another/unload', { kind: 'closed' }],
    ['GET', '/v2/models/forecast/ready', { kind: 'model', protocol: 'v2', pin: undefined }],
    ['POST', '/v1/models/another:predict', { kind: 'other' }],
    ['POST', '/v1/models/%ff:predict', { kind: 'other' }],
    ['POST', '/invocations', { kind: 'predict', protocol: 'mlflow', pin: undefined }],
    ['GET', '/invocations', { kind: 'other' }],
    ['GET', '/v2', { kind: 'other' }],
  ]
  for (const [method, path, wanted] of table)
    it(`${method} ${path}`, () => assert.deepEqual(classifyPath(method, path, 'forecast'), wanted))

  it('takes any text without throwing', () =>
    fc.assert(
      fc.property(fc.string(), text => {
        classifyPath('POST', `/v1/models/${text}`, 'forecast')
        classifyPath('POST', text, 'forecast')
      }),
    ))
})

describe('isRepeatable()', () => {
  const table: readonly [string, string, boolean][] = [
    ['GET', '/anything', true],
    ['POST', '/v1/models/x/versions/1:predict', true],
    ['POST', '/v1/models/x:regress', true],
    ['POST', '/v2/models/x/infer', true],
    ['POST', '/invocations', true],
    ['POST', '/x/invocations', false],
    ['POST', '/v2/repository/models/x/load', false],
    ['DELETE', '/v1/models/x:predict', false],
  ]
  for (const [method, path, wanted] of table)
    it(`is ${wanted} for ${method} ${path}`, () => assert.equal(isRepeatable(method, path), wanted))
})

describe('toVersionTarget()', () => {
  const table: readonly [string, string][] = [
    ['/v1/models/m/labels/best:predict', '/v1/models/m/versions/3:predict'],
    ['/V1/models/m/Labels/a%20b/metadata?x=1', '/V1/models/m/versions/3/metadata?x=1'],
    ['/v1/models/labels/labels/x', '/v1/models/labels/versions/3'],
    ['/v1/models/m:predict?to=/v1/models/m/labels/x', '/v1/models/m:predict?to=/v1/models/m/labels/x'],
    ['/v2/models/m/infer', '/v2/models/m/infer'],
  ]
  for (const [target, wanted] of table)
    it(`makes ${wanted} of ${target}`, () => assert.equal(toVersionTarget(target, 3), wanted))
})
