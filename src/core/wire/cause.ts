/** Headers of a request that changes a deployment, in percent encoding: who asks for it, and why. */
export const CAUSE_HEADERS = { by: 'x-regatta-by', reason: 'x-regatta-reason' } as const
