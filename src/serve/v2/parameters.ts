import { isMembers, isNumber, type JsonMembers } from '../../tensor/index.ts'
import { Refusal } from '../errors.ts'

/** The parameters of a request, an input or an output; those that are not known must be such, too. @throws BAD_REQUEST */
export function parseParameters(object: JsonMembers): JsonMembers {
  const parameters = object.get('parameters')
  if (parameters === undefined) return NO_PARAMETERS
  if (!isMembers(parameters)) throw toRefusal("Unable to parse 'parameters': expected an object")
  const wrong = [...parameters].find(([, value]) => typeof value === 'object' && (value === null || !isNumber(value)))
  if (wrong !== undefined)
    throw toRefusal(`Unable to parse 'parameters': expected a string, a number or a boolean as "${wrong[0]}"`)
  return parameters
}

const NO_PARAMETERS: JsonMembers = new Map()

/** A truth value among parameters. @throws BAD_REQUEST */
export function parseFlag(parameters: JsonMembers, name: 'binary_data' | 'binary_data_output'): boolean | undefined {
  const flag = parameters.get(name)
  if (flag === undefined || typeof flag === 'boolean') return flag
  throw toRefusal(`Unable to parse '${name}': expected a boolean`)
}

/** How many bytes an input has behind the JSON; undefined where it is in there. @throws BAD_REQUEST */
export function parseSize(parameters: JsonMembers, input: string): number | undefined {
  const size = parameters.get('binary_data_size')
  if (size === undefined) return undefined
  if (isNumber(size) && size.isInteger && isSize(size.value)) return size.value
  throw toRefusal(`Unable to parse 'binary_data_size' of input "${input}": expected a whole number from 0 on`)
}

/** Whether a number can be a length. */
export function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0
}

function toRefusal(text: string): Refusal {
  return new Refusal('BAD_REQUEST', text)
}
