/*
 * `node:http` and `node:https` by need, and not by an import: that looks at all that a module exports, and so loads the
 * WebSocket client that nobody here wants, a third of the CPU time in which a server starts.
 */

/** `node:http`, for who listens without TLS or asks without it. */
export function loadHttp(): typeof import('node:http') {
  return process.getBuiltinModule('node:http')
}

/** `node:https`, for TLS. */
export function loadHttps(): typeof import('node:https') {
  return process.getBuiltinModule('node:https')
}
