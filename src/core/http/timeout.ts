/** How long the sender of a request waits, in whole milliseconds; told on to replicas as what is left of it. */
export const TIMEOUT_HEADER = 'x-request-timeout-ms'

/** Reads how long the sender of a request waits, ms, or says what is wrong with it; undefined where it says nothing. */
export function parseTimeout(text: string | undefined): number | undefined | { readonly problem: string } {
  if (text === undefined) return undefined
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  return { problem: `Cannot use header ${TIMEOUT_HEADER}: expected whole milliseconds above 0, found "${text}"` }
}
