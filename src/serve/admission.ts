import type { HttpResponse } from '../core/http.ts'
import { Refusal, toRefusalResponse } from './errors.ts'
import { isPrediction } from './handler.ts'
import { toNotReady } from './health.ts'
import type { Service } from './model.ts'
import type { Limits } from './options.ts'

/** What is known of a request before its body is read. */
export interface Arrival {
  readonly path: string
  /** As declared; 0 where unknown. */
  readonly bodyBytes: number
}

/** Decides about requests before their bodies are read. */
export interface Admission {
  /** Requests that are let in and not over yet. */
  readonly inFlight: number
  /** Lets a request in, to be called back once it is over, or refuses it. */
  admit(arrival: Arrival): (() => void) | HttpResponse
  /** Counts more bytes of requests that are in already, until it is called back. @throws OVERLOADED */
  reserve(bytes: number): () => void
}

/**
 * Refuses predictions while nothing is loaded or the server stops, and whatever exceeds the bounds. Questions without a body
 * (probes, metrics) always pass.
 */
export function toAdmission(service: Service, limits: Pick<Limits, 'maxInFlight' | 'maxInFlightBytes'>): Admission {
  let requests = 0
  let bytes = 0
  return {
    get inFlight() {
      return requests
    },
    admit({ path, bodyBytes }) {
      const predicts = isPrediction(path)
      if (!predicts && bodyBytes === 0) return nothing
      if (predicts && (service.isDraining || !service.catalog.isServing)) return toRefusalResponse(toNotReady(service))
      if (requests >= limits.maxInFlight || bytes + bodyBytes > limits.maxInFlightBytes) {
        return toRefusalResponse(toBusy(requests))
      }
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
