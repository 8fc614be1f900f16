import type { Routes } from '../../core/wire/routes.ts'

/** Where routes come from: the first ones as soon as they are known, then each change, until the signal. */
export interface RouteSource {
  watch(signal: AbortSignal): AsyncIterable<Routes>
}
