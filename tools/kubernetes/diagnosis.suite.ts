import { describe } from 'node:test'
import { tellOfGateway } from './diagnosis/gateway.ts'
import { tellOfRefusal } from './diagnosis/refused.ts'
import { tellOfReplica } from './diagnosis/replica.ts'

const ONE_BY_ONE = { concurrency: 1 }

// Each has a namespace of its own, and waits most of the time; a node of two cores has room for two.
describe('what is wrong', { concurrency: 2 }, () => {
  describe('a replica that does not get ready', ONE_BY_ONE, tellOfReplica)
  describe('a gateway that clients cannot reach', ONE_BY_ONE, tellOfGateway)
  describe('a deployment that is refused', ONE_BY_ONE, tellOfRefusal)
})
