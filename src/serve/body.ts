import type { HttpRequest } from '../core/http.ts'
import { isMembers, type JsonMembers, parseJson } from '../tensor/index.ts'
import { Refusal } from './errors.ts'

// Clients that say nothing mean JSON; curl's `-d` calls everything a form, and the protocols' own examples use that.
const JSON_TYPES = /^(application\/(json|([\w.-]+\+)?json|x-www-form-urlencoded)|text\/(json|plain))$/

/** Reads a request's body, which must be one JSON object. @throws BODY_TYPE, BAD_REQUEST; TENSOR_JSON */
export function parseBody({ headers, body }: HttpRequest): JsonMembers {
  const [type = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';')
  if (type.trim() !== '' && !JSON_TYPES.test(type.trim())) {
    throw new Refusal('BODY_TYPE', `Cannot read a body of type "${type.trim()}": expected application/json`)
  }
  const charset = parameters.map(text => text.trim()).find(text => text.startsWith('charset='))
  if (charset !== undefined && !/^charset="?(utf-8|utf8|us-ascii)"?$/.test(charset)) {
    throw new Refusal('BODY_TYPE', `Cannot read a body of ${charset}: expected utf-8`)
  }
  const node = parseJson(body)
  if (!isMembers(node)) throw new Refusal('BAD_REQUEST', 'Cannot use the body: expected a JSON object')
  return node
}
