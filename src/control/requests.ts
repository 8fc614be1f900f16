import type * as z from 'zod'
import { parseDigest, parseVariantName, type VariantName } from '../core/brands.ts'
import { SCHEMAS } from './api/schemas.ts'
import type { Wish } from './deployment/deployment.ts'
import { toControlError } from './errors.ts'

/** Reads the body of a deploy. @throws REQUEST, DIGEST, VARIANT_NAME */
export function parseDeploy(body: Uint8Array): Wish {
  const { version, digest, variant, challenger } = parseBody(SCHEMAS.DeployRequest, body)
  return { version, digest: parseDigest(digest), variant: toName(variant), challenger }
}

/** Reads the body of a promotion: the variant, or undefined for the challenger. @throws REQUEST, VARIANT_NAME */
export function parsePromote(body: Uint8Array): VariantName | undefined {
  return toName(parseBody(SCHEMAS.PromoteRequest, body).variant)
}

/** Reads the body of a rollback, which says nothing. @throws REQUEST */
export function parseRollback(body: Uint8Array): void {
  parseBody(SCHEMAS.RollbackRequest, body)
}

/** Reads a JSON body whose shape its own parser knows. @throws REQUEST */
export function parseJsonBody(body: Uint8Array): unknown {
  // No body at all is an empty object: `curl -X POST` sends none.
  if (body.byteLength === 0) return {}
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (cause) {
    throw toControlError('REQUEST', 'Cannot read the request: expected JSON in UTF-8', 'Send a JSON object', cause)
  }
}

/** Reads a whole number of a query. @throws REQUEST */
export function parseCount(text: string | null, name: string, bounds: { readonly max: number; readonly or: number }) {
  if (text === null) return bounds.or
  const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (count <= bounds.max) return count
  throw toControlError(
    'REQUEST',
    `Cannot read query "${name}": expected a whole number from 0 to ${bounds.max}, found "${text}"`,
    `Leave it out for ${bounds.or}`,
  )
}

/** Reads one of some words of a query; the first where it is not there. @throws REQUEST */
export function parseChoice<const word extends string>(
  text: string | null,
  name: string,
  words: readonly [word, ...word[]],
): word {
  const choice = text === null ? words[0] : words.find(word => word === text)
  if (choice !== undefined) return choice
  const wanted = words.join(' or ')
  throw toControlError('REQUEST', `Cannot read query "${name}": expected ${wanted}, found "${text}"`, `Send ${wanted}`)
}

/** Reads a switch of a query: 1, true or nothing after the name turn it on. @throws REQUEST */
export function parseSwitch(text: string | null, name: string): boolean {
  if (text === null || text === '0' || text === 'false') return false
  if (text === '1' || text === 'true' || text === '') return true
  throw toControlError('REQUEST', `Cannot read query "${name}": expected 1 or 0, found "${text}"`, 'Send 1 or 0')
}

function parseBody<value>(schema: z.ZodType<value>, body: Uint8Array): value {
  const result = schema.safeParse(parseJsonBody(body))
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const where = issue === undefined || issue.path.length === 0 ? 'the request' : `field "${issue.path.join('.')}"`
  throw toControlError(
    'REQUEST',
    `Cannot read ${where}: ${issue?.message ?? 'it has another shape'}`,
    'GET /api/v1/openapi.json describes every request',
  )
}

function toName(text: string | undefined): VariantName | undefined {
  return text === undefined ? undefined : parseVariantName(text)
}
