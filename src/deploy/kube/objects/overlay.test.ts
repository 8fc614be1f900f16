import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { at, toObjectName } from '../object.ts'
import { toSettings, VARIANT } from '../testing/settings.ts'
import { toBaseObjects } from './base.ts'
import { merge } from './overlay.ts'
import { toServerObjects } from './server.ts'

describe('merge()', () => {
  const cases: [name: string, value: unknown, patch: unknown, wanted: unknown][] = [
    ['lays mappings over each other', { a: 1, b: { c: 2 } }, { b: { d: 3 } }, { a: 1, b: { c: 2, d: 3 } }],
    ['removes what is null', { a: 1, b: 2 }, { a: null }, { b: 2 }],
    ['merges lists of named things by name', [{ name: 'x', v: 1 }], [{ name: 'x', w: 2 }], [{ name: 'x', v: 1, w: 2 }]],
    ['adds things of other names', [{ name: 'x' }], [{ name: 'y' }], [{ name: 'x' }, { name: 'y' }]],
    ['tells ports apart by their numbers', [{ port: 1, a: 1 }], [{ port: 1, a: 2 }], [{ port: 1, a: 2 }]],
    ['replaces other lists', ['a', 'b'], ['c'], ['c']],
    ['makes what is not there', undefined, { a: { b: [1] } }, { a: { b: [1] } }],
  ]
  for (const [name, value, patch, wanted] of cases) it(name, () => assert.deepEqual(merge(value, patch), wanted))
})

describe('an overlay', () => {
  it('is laid over the objects of its kind and part', () => {
    const settings = toSettings(
      'overlay: [{ kind: Deployment, part: server, patch: { spec: { template: { spec: { containers: [{ name: server, args: [--x] }] } } } } }]',
    )
    const server = toServerObjects(settings, VARIANT).find(({ kind }) => kind === 'Deployment')
    assert.deepEqual(at(server, 'spec', 'template', 'spec', 'containers', 0, 'args'), ['--x'])
    for (const object of toBaseObjects(settings))
      assert.doesNotMatch(JSON.stringify(at(object, 'spec') ?? null), /--x/, toObjectName(object))
  })

  it('is laid over gateway and control, too, and without a part over all', () => {
    const patch = '{ metadata: { annotations: { a: b } } }'
    const settings = toSettings(
      `overlay: [{ kind: Deployment, part: gateway, patch: ${patch} }, { kind: Service, patch: ${patch} }]`,
    )
    const objects = [...toBaseObjects(settings), ...toServerObjects(settings, VARIANT)]
    const patched = objects.filter(({ metadata }) => metadata.annotations?.['a'] === 'b').map(toObjectName)
    assert.deepEqual(patched, [
      'Service/forecast-control',
      'Service/forecast-gateway',
      'Deployment/forecast-gateway',
      'Service/forecast-b-7',
    ])
  })

  const wrong: [name: string, overlay: string, message: RegExp][] = [
    ['for a kind that is not made', '{ kind: CronJob, patch: {} }', /overlay 0.*no CronJob/],
    [
      'for a kind that its part lacks',
      '{ kind: Service, part: server, patch: { metadata: { name: x } } }',
      /metadata\.name/,
    ],
    [
      'that changes what objects are found by',
      '{ kind: Deployment, patch: { spec: { selector: {} } } }',
      /spec\.selector/,
    ],
  ]
  for (const [name, overlay, message] of wrong) {
    it(`is refused ${name}`, () => {
      assert.throws(() => toBaseObjects(toSettings(`overlay: [${overlay}]`)), { code: 'KUBE_OVERLAY', message })
    })
  }
})
