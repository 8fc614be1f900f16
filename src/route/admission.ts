import type { Limits } from './limits.ts'

/** Bounds what is in flight: lets a request in, to be called back when it is over, or tells that there is no room. */
export type Admission = (bodyBytes: number) => (() => void) | 'full'

/** Makes an admission that counts requests and the declared bytes of their bodies. */
export function toAdmission(limits: Pick<Limits, 'maxInFlight' | 'maxInFlightBytes'>): Admission {
  let requests = 0
  let bytes = 0
  return bodyBytes => {
    if (requests >= limits.maxInFlight || bytes + bodyBytes > limits.maxInFlightBytes) return 'full'
    requests += 1
    bytes += bodyBytes
    return () => {
      requests -= 1
      bytes -= bodyBytes
    }
  }
}
