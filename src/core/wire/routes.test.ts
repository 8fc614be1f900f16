import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseRoutes } from './routes.ts'

const digest = `sha256:${'0'.repeat(64)}`
const variant = (id: number, name: string, role: string, weight: number) => ({
  id,
  name,
  version: id,
  digest,
  role,
  weight,
  replicas: [{ name: `${name}-1`, url: `http://127.0.0.1:${4000 + id}` }],
})
const routes = (variants: readonly unknown[], more: object = {}) => ({
  schema: 'regatta/routes/v1',
  deployment: 'forecast',
  epoch: 3,
  variants,
  capture: { prediction: '[0]', series: 's', at: 't', entity: 'e' },
  ...more,
})

describe('parseRoutes()', () => {
  it('returns an equal document', () => {
    const document = routes([
      variant(1, 'a', 'champion', 0.9),
      variant(2, 'b', 'split', 0.1),
      variant(3, 'c', 'shadow', 0),
      variant(4, 'd', 'standby', 0),
    ])
    assert.deepEqual(parseRoutes(JSON.parse(JSON.stringify(document))), document)
  })

  it('keeps who asked for the first routes, and why', () => {
    const document = routes([], { cause: { by: 'ann@lab', reason: '' } })
    assert.deepEqual(parseRoutes(document), document)
  })

  it('reads routes without variants', () => assert.deepEqual(parseRoutes(routes([])).variants, []))

  const champion = variant(1, 'a', 'champion', 1)
  const refused: readonly [string, unknown, RegExp][] = [
    ['a string', 'routes', /expected routes to be an object, found "routes"/],
    ['a cause of nobody', routes([champion], { cause: { reason: '' } }), /cause\.by to be a string/],
    ['another schema', routes([champion], { schema: 'regatta/routes/v2' }), /schema to be one of/],
    ['an unknown key', routes([champion], { epock: 1 }), /found "epock"/],
    ['a negative epoch', routes([champion], { epoch: -1 }), /epoch to be an integer of at least 0, found -1/],
    ['no champion', routes([variant(1, 'a', 'shadow', 0)]), /exactly one champion, found 0/],
    ['two champions', routes([champion, variant(2, 'b', 'champion', 0)]), /exactly one champion, found 2/],
    ['one id twice', routes([champion, variant(1, 'b', 'shadow', 0)]), /ids to be unique, found 1/],
    ['one name twice', routes([champion, { ...variant(2, 'a', 'shadow', 0), replicas: [] }]), /names to be unique/],
    ['weights of 0.9', routes([{ ...champion, weight: 0.9 }]), /sum of the weights to be 1, found 0.9/],
    [
      'a shadow with weight',
      routes([{ ...champion, weight: 0.5 }, variant(2, 'b', 'shadow', 0.5)]),
      /shadow "b" to be 0/,
    ],
    ['a replica by file URL', routes([{ ...champion, replicas: [{ name: 'x', url: 'file:///x' }] }]), /http:\/\/ URL/],
    ['a capital in a name', routes([{ ...champion, name: 'A' }]), /Cannot use "A" as a variant name/],
  ]
  for (const [name, document, message] of refused)
    it(`rejects ${name}`, () => assert.throws(() => parseRoutes(document), { name: /^(Regatta|Usage)Error$/, message }))
})
