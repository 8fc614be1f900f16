import type { ModelInput, Signature } from '../engine/engine.ts'
import { Refusal } from '../errors.ts'

/** The model's input of a name. @throws BAD_REQUEST */
export function findInput({ inputs }: Signature, name: string): ModelInput {
  const input = inputs.find(wanted => wanted.name === name)
  if (input !== undefined) return input
  throw new Refusal('BAD_REQUEST', `Unexpected input "${name}": expected ${toList(inputs)}`)
}

/** Checks that an input is there once. @throws BAD_REQUEST */
export function checkOnce(name: string, before: ReadonlyMap<string, unknown>): void {
  if (before.has(name)) throw new Refusal('BAD_REQUEST', `Input "${name}" stands twice in 'inputs'`)
}

/** Names of the wanted outputs; all where none is ("If not specified all outputs will be returned"). @throws BAD_REQUEST */
export function toOutputNames({ outputs }: Signature, wanted: readonly string[]): readonly string[] {
  const names = outputs.map(({ name }) => name)
  const unknown = wanted.find(name => !names.includes(name))
  if (unknown !== undefined)
    throw new Refusal('BAD_REQUEST', `Unexpected output "${unknown}": expected ${toList(outputs)}`)
  return wanted.length === 0 ? names : [...new Set(wanted)]
}

/** The refusal of an output as a classification, which must not come in another form. */
export function toNoClassification(name: string): Refusal {
  const text = `Cannot give output "${name}" as a classification: this server has not that extension`
  return new Refusal('BAD_REQUEST', text)
}

function toList(specs: readonly { readonly name: string }[]): string {
  return specs.map(({ name }) => `"${name}"`).join(', ')
}
