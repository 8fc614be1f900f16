import { type Circuit, CLOSED, type Fate, isClosed, toAsked, toSettled } from './circuit.ts'

/** Whether a variant answers for itself; it learns from every request that chance gave to the variant. */
export class VariantHealth {
  #circuit: Circuit = CLOSED

  get circuit(): Circuit {
    return this.#circuit
  }

  /** Takes a request for the variant (epoch ms); false where the champion shall answer it. */
  take(now: number): boolean {
    if (!isClosed(this.#circuit, now)) return false
    this.#circuit = toAsked(this.#circuit, now)
    return true
  }

  /** Learns what came of a request that was taken; true where that opened the circuit. */
  learn(fate: Fate, now: number): boolean {
    const before = this.#circuit
    this.#circuit = toSettled(before, fate, now)
    return before.state !== 'open' && this.#circuit.state === 'open' && fate === 'failed'
  }
}
