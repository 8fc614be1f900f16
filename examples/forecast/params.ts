/** What the training command is told; regatta passes it as JSON in REGATTA_PARAMS. */
export interface Params {
  readonly hidden: number
  readonly learning_rate: number
  readonly epochs: number
  readonly seed: number
}

/** What is trained when nothing is said. */
const DEFAULTS: Params = { hidden: 100, learning_rate: 0.001, epochs: 1000, seed: 1 }

/** Reads params from JSON text, with defaults for those left out. @throws naming the param that does not fit */
export function parseParams(json: string): Params {
  const given: unknown = JSON.parse(json)
  if (typeof given !== 'object' || given === null)
    throw new Error(`Cannot read params: expected an object, found ${json}`)
  const params: Record<string, unknown> = { ...DEFAULTS, ...given }
  const readNumber = (name: keyof Params, isRight: (value: number) => boolean, wanted: string): number => {
    const value = params[name]
    if (typeof value === 'number' && isRight(value)) return value
    throw new Error(`Cannot use param ${name}: expected ${wanted}, found ${JSON.stringify(value)}`)
  }
  const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1
  return {
    hidden: readNumber('hidden', value => isCount(value) && value <= 4096, 'a whole number from 1 to 4096'),
    learning_rate: readNumber('learning_rate', value => value > 0, 'a number above 0'),
    epochs: readNumber('epochs', isCount, 'a whole number of at least 1'),
    seed: readNumber(
      'seed',
      value => Number.isInteger(value) && value >= 0 && value < 2 ** 32,
      'a whole number below 2^32',
    ),
  }
}
