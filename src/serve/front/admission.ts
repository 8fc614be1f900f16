import { Refusal } from '../errors.ts'
import type { Service } from '../model.ts'
import type { Limits } from '../options.ts'
import { toNotReady } from './health.ts'

/** What is known of a request before its body is read. */
export interface Arrival {
  /**
   * - `probe`: asks whether the server lives or is ready; open to all.
   * - `question`: anything else that needs no model that is loaded.
   * - `prediction`: needs one.
   */
  readonly kind: 'probe' | 'question' | 'prediction'
  /** As declared; 0 where unknown. */
  readonly bodyBytes: number
}

/** Decides about requests before their bodies are read, whichever port they came to. */
export interface Admission {
  /** Requests that are let in and not over yet. */
  readonly inFlight: number
  /** Lets a request in, to be called back once it is over, or refuses it. */
  admit(arrival: Arrival): (() => void) | Refusal
  /** Counts more bytes of requests that are in already, until it is called back. @throws OVERLOADED */
  reserve(bytes: number): () => void
}

/**
 * Refuses predictions while nothing is loaded or the server stops, and whatever exceeds the bounds. Questions without a body always pass.
 */
export function toAdmission(service: Service, limits: Pick<Limits, 'maxInFlight' | 'maxInFlightBytes'>): Admission {
  let requests = 0
  let bytes = 0
  return {
    get inFlight() {
      return requests
    },
    admit({ kind, bodyBytes }) {
      if (kind !== 'prediction' && bodyBytes === 0) return nothing
      if (kind === 'prediction' && (service.stopping.aborted || !service.catalog.isServing)) return toNotReady(service)
      if (requests >= limits.maxInFlight || bytes + bodyBytes > limits.maxInFlightBytes) return toBusy(requests)
      requests += 1
      bytes += bodyBytes
      return () => {
        requests -= 1
        bytes -= bodyBytes
      }
    },
    reserve(more) {
      if (bytes + more > limits.maxInFlightBytes) throw toBusy(requests)
      bytes += more
      return () => {
        bytes -= more
      }
    },
  }
}

function toBusy(requests: number): Refusal {
  return new Refusal('OVERLOADED', `The server is busy with ${requests} requests`)
}

function nothing(): void {}
