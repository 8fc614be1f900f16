/**
 * `node:http`, whose import as a module looks at all that it exports, and so loads the WebSocket client that nobody here
 * wants: a third of the CPU time in which a server starts. An import will do once that is loaded when it is used.
 */
export const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http')

/** `node:https`, loaded for a server that speaks TLS. */
export function loadHttps(): typeof import('node:https') {
  return process.getBuiltinModule('node:https')
}
