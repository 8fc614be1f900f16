import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { MODELS, type ModelName } from './models.ts'

/** What is to be measured, and how long. */
export interface Options {
  readonly models: readonly ModelName[]
  /** Names of contenders. */
  readonly contenders: readonly string[]
  readonly rounds: number
  /** Of one load; whole, as wrk wants it. */
  readonly seconds: number
  /** Of the load over which memory is watched. */
  readonly memoryMinutes: number
  /** Bundle of the server under test. */
  readonly server: string
  /** Where to write everything that was measured. */
  readonly json: string | undefined
}

const FLAGS = {
  models: { type: 'string' },
  contenders: { type: 'string' },
  rounds: { type: 'string', default: '3' },
  seconds: { type: 'string', default: '2' },
  'memory-minutes': { type: 'string', default: '0.25' },
  server: { type: 'string', default: 'dist/runtime/server.js' },
  json: { type: 'string' },
} as const

/** A command line that says nothing sensible; its message says what was wanted. */
export class OptionError extends Error {}

/** Reads the command line; `all` are the names of the contenders. @throws OptionError */
export function parseOptions(args: readonly string[], all: readonly string[]): Options {
  const values = parseOrThrow(args)
  const models = Object.keys(MODELS) as ModelName[]
  return {
    models: toChosen('models', values.models, models),
    contenders: toChosen('contenders', values.contenders, all),
    rounds: toNumber('rounds', values.rounds, /^[1-9]\d?$/, '1 to 99'),
    seconds: toNumber('seconds', values.seconds, /^[1-9]\d?$/, '1 to 99'),
    memoryMinutes: toNumber('memory-minutes', values['memory-minutes'], /^\d{1,2}(\.\d+)?$/, '0 to 99, like 0.5'),
    server: resolve(values.server),
    json: values.json,
  }
}

function parseOrThrow(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS, strict: true }).values
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

/** The wanted names, in the order of all. */
function toChosen<name extends string>(
  option: string,
  text: string | undefined,
  all: readonly name[],
): readonly name[] {
  if (text === undefined) return all
  const wanted = text.split(',')
  const unknown = wanted.find(name => !all.some(known => known === name))
  if (unknown === undefined) return all.filter(name => wanted.includes(name))
  throw new OptionError(`Cannot use "${unknown}" in --${option}: expected some of ${all.join(', ')}`)
}

function toNumber(option: string, text: string, form: RegExp, wanted: string): number {
  if (form.test(text)) return Number(text)
  throw new OptionError(`Cannot use "${text}" as --${option}: expected ${wanted}`)
}
