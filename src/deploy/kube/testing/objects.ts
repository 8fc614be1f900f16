import assert from 'node:assert/strict'
import { type KubeObject, toObjectName } from '../object.ts'

/** The object of a name such as `Deployment/forecast-gateway`; fails where there is none. */
export function findObject(objects: readonly KubeObject[], name: string): KubeObject {
  const found = objects.find(object => toObjectName(object) === name)
  return found ?? assert.fail(`no ${name} among ${objects.map(toObjectName).join(', ')}`)
}
