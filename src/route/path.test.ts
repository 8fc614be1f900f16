import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { classifyPath, isRepeatable } from './path.ts'

describe('classifyPath()', () => {
  const table: readonly [string, string, object][] = [
    ['POST', '/v1/models/forecast:predict', { kind: 'predict', protocol: 'v1', version: undefined, labelled: false }],
    ['POST', '/V1/Models/forecast:PREDICT', { kind: 'predict', protocol: 'v1', version: undefined, labelled: false }],
    [
      'POST',
      '/v1/models/fore%63ast/versions/7:predict',
      { kind: 'predict', protocol: 'v1', version: '7', labelled: false },
    ],
    [
      'POST',
      '/v1/models/forecast/labels/best:predict',
      { kind: 'predict', protocol: 'v1', version: undefined, labelled: true },
    ],
    ['POST', '/v2/models/forecast/infer', { kind: 'predict', protocol: 'v2', version: undefined, labelled: false }],
    [
      'POST',
      '/v2/models/forecast/versions/v10/infer',
      { kind: 'predict', protocol: 'v2', version: 'v10', labelled: false },
    ],
    ['GET', '/v1/models/forecast:predict', { kind: 'model', protocol: 'v1', version: undefined, labelled: false }],
    [
      'GET',
      '/v1/models/forecast/versions/3/metadata',
      { kind: 'model', protocol: 'v1', version: '3', labelled: false },
    ],
    ['POST', '/v1/models/forecast:classify', { kind: 'model', protocol: 'v1', version: undefined, labelled: false }],
    ['GET', '/v2/models/forecast/ready', { kind: 'model', protocol: 'v2', version: undefined, labelled: false }],
    ['POST', '/v1/models/another:predict', { kind: 'other' }],
    ['POST', '/v1/models/%ff:predict', { kind: 'other' }],
    ['POST', '/invocations', { kind: 'other' }],
    ['GET', '/v2', { kind: 'other' }],
    ['GET', '/metrics', { kind: 'own', path: '/metrics' }],
    ['POST', '/truth', { kind: 'own', path: '/truth' }],
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
