import type { Limits } from './limits.ts'

/** Bounds what is in flight. */
export interface Admission {
  /** Lets a request in, to be called back when it is over, or tells that there is no room. */
  admit(bodyBytes: number): (() => void) | 'full'
  /** Takes room for bytes of a request that is in already, to be called back when it is over, or tells that there is none. */
  reserve(bytes: number): (() => void) | 'full'
  /** Whether more than half of the room is taken: what may be left out is left out then. */
  isLoaded(): boolean
}

/** Makes an admission that counts requests and the declared bytes of their bodies. */
export function toAdmission(limits: Pick<Limits, 'maxInFlight' | 'maxInFlightBytes'>): Admission {
  let requests = 0
  let bytes = 0
  return {
    admit(bodyBytes) {
      if (requests >= limits.maxInFlight || bytes + bodyBytes > limits.maxInFlightBytes) return 'full'
      requests += 1
      bytes += bodyBytes
      return () => {
        requests -= 1
        bytes -= bodyBytes
      }
    },
    reserve(more) {
      if (bytes + more > limits.maxInFlightBytes) return 'full'
      bytes += more
      return () => {
        bytes -= more
      }
    },
    isLoaded: () => requests > limits.maxInFlight / 2 || bytes > limits.maxInFlightBytes / 2,
  }
}
