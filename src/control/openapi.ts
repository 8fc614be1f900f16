import { toJsonSchemas } from './api/schemas.ts'
import { type Access, ENDPOINTS, type Endpoint } from './endpoints.ts'

/**
 * Describes the whole API. Source: OpenAPI Specification 3.1.1, whose schemas are JSON Schema 2020-12.
 */
export function toOpenApi(version: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const [operationId, endpoint] of Object.entries(ENDPOINTS)) {
    const path = paths[endpoint.path] ?? {}
    path[endpoint.method.toLowerCase()] = toOperation(operationId, endpoint)
    paths[endpoint.path] = path
  }
  return {
    openapi: '3.1.1',
    info: { title: 'regatta control', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      schemas: toJsonSchemas(),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'The admin token, or the token of one scope' },
      },
    },
  }
}

function toOperation(operationId: string, endpoint: Endpoint): object {
  const { access, summary, query, request, answer } = endpoint
  const parameters = [
    ...[...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      ...toParameter(name),
      in: 'path',
      required: true,
    })),
    ...Object.entries(query ?? {}).map(([name, description]) => ({ ...toParameter(name), in: 'query', description })),
  ]
  const content = request && Object.fromEntries(request.types.map(type => [type, { schema: toRef(request.schema) }]))
  return {
    operationId,
    summary,
    security: toSecurity(access),
    ...(parameters.length > 0 && { parameters }),
    ...(content && { requestBody: { required: true, content } }),
    responses: {
      200: { description: summary, content: { [answer.type]: answer.schema ? { schema: toRef(answer.schema) } : {} } },
      default: { description: 'An error', content: { 'application/json': { schema: toRef('Error') } } },
    },
  }
}

/** What stands in braces, as far as a pattern says it. */
const ARGUMENT_PATTERNS: Readonly<Record<string, string>> = {
  id: '^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
  row: '^(0|[1-9][0-9]{0,5})$',
  process: '^[a-z0-9-]+$',
}

function toParameter(name = ''): object {
  const pattern = ARGUMENT_PATTERNS[name]
  return { name, schema: { type: 'string', ...(pattern !== undefined && { pattern }) } }
}

function toRef(schema: string): object {
  return { $ref: `#/components/schemas/${schema}` }
}

/** An empty requirement beside the token's means that a call without one may do, too. */
function toSecurity(access: Access): readonly object[] {
  if (access === 'open') return []
  return access === 'board' ? [{}, { bearer: ['read'] }] : [{ bearer: [access] }]
}
