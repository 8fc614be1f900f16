import { Refusal } from '../errors.ts'
import { SIGNATURE } from './request.ts'

/**
 * Why a model that only predicts neither classifies nor regresses (classifier.cc and regressor.cc have the words).
 * `instead`: what to call.
 */
export function toNoSuchSignature(call: 'classify' | 'regress', name: string, instead: string): Refusal {
  if (name !== SIGNATURE) return new Refusal('BAD_REQUEST', `No signature was found with the name: ${name}`)
  const kind = call === 'classify' ? 'classification' : 'regression'
  return new Refusal(
    'BAD_REQUEST',
    `Expected ${kind} signature method_name to be tensorflow/serving/${call}. Was: tensorflow/serving/predict; use ${instead}`,
  )
}
