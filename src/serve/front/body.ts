import type { HttpRequest } from '../../core/http/http.ts'
import { isMembers, type JsonMembers, parseJson } from '../../tensor/index.ts'
import { Refusal } from '../errors.ts'

// Clients that say nothing mean JSON; curl's `-d` calls everything a form, and the protocols' own examples use that.
const JSON_TYPES = /^(application\/(json|([\w.-]+\+)?json|x-www-form-urlencoded)|text\/(json|plain))$/

/** Reads a request's body, which must be one JSON object. @throws BODY_TYPE, BAD_REQUEST; TENSOR_JSON */
export function parseBody(request: HttpRequest): JsonMembers {
  const type = toContentType(request)
  if (type !== '' && !JSON_TYPES.test(type)) {
    throw new Refusal('BODY_TYPE', `Cannot read a body of type "${type}": expected application/json`)
  }
  checkCharset(request)
  return parseObject(request.body)
}

/** Reads one JSON object. @throws BAD_REQUEST; TENSOR_JSON */
export function parseObject(bytes: Uint8Array): JsonMembers {
  const node = parseJson(bytes)
  if (!isMembers(node)) throw new Refusal('BAD_REQUEST', 'Cannot use the body: expected a JSON object')
  return node
}

/** The type of a body, without its parameters; empty where the client says none. */
export function toContentType({ headers }: HttpRequest): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** Checks that a text is in UTF-8. @throws BODY_TYPE */
export function checkCharset({ headers }: HttpRequest): void {
  const [, ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';')
  const charset = parameters.map(text => text.trim()).find(text => text.startsWith('charset='))
  if (charset !== undefined && !/^charset="?(utf-8|utf8|us-ascii)"?$/.test(charset)) {
    throw new Refusal('BODY_TYPE', `Cannot read a body of ${charset}: expected utf-8`)
  }
}
