import type { Attribute, Constant } from './graph.ts'
import type { Steps } from './steps.ts'
import { Unmatched } from './view.ts'

/** A sum of an input and a state of a step, each times a matrix, and what else is added. Names are of values. */
export interface Sum {
  readonly input: Product | undefined
  readonly state: Product | undefined
  readonly bias: string | undefined
}

/** A row of numbers times a matrix. */
interface Product {
  readonly weights: string
  /** The tensor that the row is taken from; '' for the state. */
  readonly sequence: string
}

interface Term {
  readonly kind: keyof Sum
  readonly value: Product
}

/** Reads a sum, in whatever order and form its parts are. @throws Unmatched */
export function readSum(steps: Steps, name: string): Sum {
  const terms = listTerms(steps, name)
  const take = (kind: keyof Sum): Product | undefined => {
    const [term, ...more] = terms.filter(term => term.kind === kind)
    if (more.length > 0) throw new Unmatched(`a step adds more than one ${kind}`)
    return term?.value
  }
  return { input: take('input'), state: take('state'), bias: take('bias')?.weights }
}

function listTerms(steps: Steps, name: string): readonly Term[] {
  const { view } = steps
  const traced = view.trace(name)
  const node = view.produce(traced)
  const [a = '', b = '', c = ''] = node?.inputs ?? []
  if (node?.op === 'Add') return [...listTerms(steps, a), ...listTerms(steps, b)]
  if (node?.op === 'MatMul') return [toProduct(steps, a, b)]
  if (node?.op === 'Gemm' && isPlainGemm(node.attributes)) {
    return [toProduct(steps, a, b), ...(c === '' ? [] : listTerms(steps, c))]
  }
  return [{ kind: 'bias', value: { weights: traced, sequence: '' } }]
}

/** `alpha·A·B + beta·C`, of which an absent factor is 1. */
function isPlainGemm(attributes: ReadonlyMap<string, Attribute>): boolean {
  return [...attributes].every(([name, { float, int }]) => (/^trans[AB]$/.test(name) ? int === 0 : float === 1))
}

function toProduct(steps: Steps, left: string, right: string): Term {
  const weights = steps.view.trace(right)
  if (steps.view.trace(left) === steps.before) return { kind: 'state', value: { weights, sequence: '' } }
  const sequence = steps.sequence(left)
  if (sequence === undefined) throw new Unmatched('a step multiplies what is neither its input nor its state')
  return { kind: 'input', value: { weights, sequence } }
}

/** The sizes of weights, which must be a tensor of the file. @throws Unmatched */
export function readDims({ view }: Steps, weights: string, rank: number): Constant['dims'] {
  const dims = view.constant(weights)?.dims
  if (dims?.length !== rank) throw new Unmatched(`its weights are no tensor of the file with ${rank} dimensions`)
  return dims
}
