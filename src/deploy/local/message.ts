import { isObject } from '../../core/json.ts'

/** What a child process tells its supervisor over the IPC channel of `node:child_process`. */
export type ChildMessage =
  | { readonly kind: 'listening'; readonly port: number; readonly grpcPort?: number }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: string; readonly reason: string }

const MAX_REASON = 4096

/** Reads a child's message, or returns undefined where it is none of those. */
export function parseChildMessage(value: unknown): ChildMessage | undefined {
  if (!isObject(value)) return undefined
  const { kind, port, grpcPort, code, reason } = value
  if (kind === 'ready') return { kind }
  if (kind === 'listening' && isPort(port) && (grpcPort === undefined || isPort(grpcPort)))
    return grpcPort === undefined ? { kind, port } : { kind, port, grpcPort }
  if (kind === 'failed' && typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code))
    return { kind, code, reason: typeof reason === 'string' ? reason.slice(0, MAX_REASON) : code }
  return undefined
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536
}
