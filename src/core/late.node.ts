/*
 * Modules of Node by need, and not by an import, which loads what a process may never want, and of `node:http` its
 * WebSocket client too: together a third of the CPU time in which a server starts.
 */

/** `node:http`, for who listens without TLS or asks without it. */
export function loadHttp(): typeof import('node:http') {
  return process.getBuiltinModule('node:http')
}

/** `node:https`, for HTTP over TLS. */
export function loadHttps(): typeof import('node:https') {
  return process.getBuiltinModule('node:https')
}

/** `node:tls`, for TLS alone. */
export function loadTls(): typeof import('node:tls') {
  return process.getBuiltinModule('node:tls')
}

/** `node:zlib`, for bodies that are compressed. */
export function loadZlib(): typeof import('node:zlib') {
  return process.getBuiltinModule('node:zlib')
}
