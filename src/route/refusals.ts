import type { Refusal } from './errors.ts'
import type { Try } from './forward.node.ts'
import type { PathUse, Pin, Protocol } from './path.ts'
import type { RoutingTable } from './routes/live-routes.node.ts'

/** Why a request got no answer from a variant. */
export function toRefusal(
  variant: { readonly name: string },
  result: Exclude<Try['result'], { readonly kind: 'answer' | 'gone' }>,
): Refusal {
  switch (result.kind) {
    case 'no-replica':
    case 'circuit-open':
      return {
        code: 'NO_REPLICA',
        status: 503,
        text: `No replica of variant "${variant.name}" can take the request now`,
      }
    case 'lost':
      return { code: 'REPLICA_LOST', status: 502, text: 'The replica broke the connection before its answer was whole' }
    case 'timeout':
      return { code: 'REPLICA_TIMEOUT', status: 504, text: 'The replica did not answer in time' }
    case 'too-long':
      return { code: 'ANSWER_TOO_LONG', status: 502, text: "The replica's answer is longer than the gateway forwards" }
    case 'unsendable':
      return { code: 'UNSENDABLE', status: 400, text: `Cannot forward the request: ${result.reason}` }
    default:
      return result satisfies never
  }
}

/**
 * Why no variant can be chosen, in the words of the protocol: TensorFlow Serving's for its own paths (manager.cc,
 * server_core.cc), Triton's for those of V2.
 */
export function toNoVariant(
  table: RoutingTable,
  use: PathUse | { readonly pin: Pin | undefined; readonly protocol: Protocol },
): Refusal {
  const pin = 'pin' in use ? use.pin : undefined
  const { deployment } = table
  if (pin === undefined) return { code: 'NO_REPLICA', status: 503, text: `Nothing is deployed as "${deployment}" yet` }
  const open = table.variants.filter(variant => variant.role !== 'standby')
  if (pin.kind === 'label') {
    const known = ['champion', 'stable', ...open.map(variant => variant.name)].join(', ')
    const text = `Unrecognized servable version label: ${pin.text}: expected one of ${known}`
    return { code: 'NO_VERSION', status: 404, text }
  }
  const known = open.map(variant => variant.version).join(', ')
  const what =
    'protocol' in use && (use.protocol === 'v2' || use.protocol === 'v2-infer')
      ? `Request for unknown model: "${deployment}" version ${pin.text} is not found`
      : `Servable not found for request: Specific(${deployment}, ${pin.text})`
  return { code: 'NO_VERSION', status: 404, text: `${what}: expected one of ${known}` }
}

/** Why models are neither loaded nor unloaded here. */
export const CLOSED: Refusal = {
  code: 'CLOSED',
  status: 403,
  text: 'Cannot load or unload a model here: its versions are those of the deployment, which `regatta deploy` changes',
}

/** Why a request is not even read. */
export const OVERLOADED: Refusal = {
  code: 'OVERLOADED',
  status: 503,
  text: 'Too many requests are in flight: try again',
}

/** Why nothing can be routed yet. */
export const NO_ROUTES: Refusal = { code: 'NO_ROUTES', status: 503, text: 'The gateway knows no routes yet' }

/** Why a request is not for whoever sent it. */
export const NO_TOKEN: Refusal = {
  code: 'TOKEN',
  status: 401,
  text: 'Expected a token of scope "predict" as "authorization: Bearer TOKEN"',
}
