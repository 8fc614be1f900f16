import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { KINDS } from '../kinds.ts'
import { type KubeObject, listAt } from '../object.ts'
import { toSettings } from '../testing/settings.ts'
import { toDeployerAccess } from './access.ts'
import { toBaseObjects } from './base.ts'

describe('toDeployerAccess()', () => {
  it('holds every right of control, which it gives away', () => {
    const allowed = new Set(listRights(toDeployerAccess('forecast', 'team')))
    const given = listRights(toBaseObjects(toSettings()))
    assert.ok(given.length > 20)
    assert.deepEqual(
      given.filter(right => !allowed.has(right)),
      [],
    )
  })

  it('may write every kind that is made, and is no more than a role', () => {
    const objects = toDeployerAccess('forecast', 'team')
    assert.deepEqual(
      objects.map(({ kind }) => kind),
      ['ServiceAccount', 'Role', 'RoleBinding'],
    )
    const allowed = new Set(listRights(objects))
    for (const { group, plural } of Object.values(KINDS)) assert.ok(allowed.has(`${group}/${plural} patch`), plural)
    assert.ok(![...allowed].some(right => right.includes('*')))
    // Reaching control, and reading why something fails.
    for (const right of ['/pods/portforward create', '/pods/log get', '/events list'])
      assert.ok(allowed.has(right), right)
  })

  it('lets control tell the events of the namespace, and no more of pods than to look', () => {
    const given = listRights(toBaseObjects(toSettings()))
    assert.ok(given.includes('/events create'))
    assert.deepEqual(
      given.filter(right => /\/(pods|secrets)\b/.test(right)),
      ['/pods get', '/pods list', '/pods watch', '/pods/log get', '/pods/log list', '/pods/log watch'],
    )
  })

  function listRights(objects: readonly KubeObject[]): readonly string[] {
    const rules = objects.filter(({ kind }) => kind === 'Role').flatMap(role => listAt(role, 'rules'))
    const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : [])
    return rules.flatMap(rule =>
      texts(rule['apiGroups']).flatMap(group =>
        texts(rule['resources']).flatMap(resource => texts(rule['verbs']).map(verb => `${group}/${resource} ${verb}`)),
      ),
    )
  }
})
