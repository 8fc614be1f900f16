import { delimiter } from 'node:path'
import type { Environment } from '../config/index.ts'
import type { Params } from './params.ts'

/** The variable by which the processes of a run are known. */
export const RUN_VARIABLE = 'REGATTA_RUN_ID'

/** What a training command is told. */
export interface Assignment {
  readonly id: string
  readonly params: Params
  /** Absolute path of the folder for the model. */
  readonly output: string
  /** Folder with the Node that runs regatta, put before the PATH. */
  readonly bin: string
}

/** A name that a shell can read a variable by (POSIX.1-2024, section 3.216, "Name"). */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** The token, which is the right to promote, and the parameters of a run around this one. */
const HELD_BACK = /^REGATTA_(TOKEN|PARAM_.*)$/
const USUAL_PATH = '/usr/local/bin:/usr/bin:/bin'

/**
 * The environment of a training command: the caller's without its token, and
 * - `REGATTA_PARAMS`, all parameters as one JSON object;
 * - `REGATTA_PARAM_name`, each parameter by itself, where its name can be part of a variable's;
 * - `REGATTA_OUTPUT`, the folder to leave the model in;
 * - `REGATTA_RUN_ID`.
 */
export function toChildEnvironment(inherited: Environment, { bin, id, output, params }: Assignment): Environment {
  const passed = Object.entries(inherited).filter(([name]) => !HELD_BACK.test(name))
  const single = Object.entries(params)
    .filter(([name, value]) => NAME.test(name) && !String(value).includes('\0'))
    .map(([name, value]) => [`REGATTA_PARAM_${name}`, String(value)] as const)
  return {
    ...Object.fromEntries([...passed, ...single]),
    PATH: `${bin}${delimiter}${inherited['PATH'] || USUAL_PATH}`,
    REGATTA_PARAMS: JSON.stringify(params),
    REGATTA_OUTPUT: output,
    [RUN_VARIABLE]: id,
  }
}
