import { parseArgs } from 'node:util'
import { toErrorText, UsageError } from '../core/errors.ts'

/** What the command line and the environment say about a control of its own. */
export interface Flags {
  /** Folder of regatta.yaml, below which `.regatta` is. */
  readonly project: string
  readonly token: string
}

const USAGE = 'REGATTA_TOKEN=TOKEN, --project FOLDER --target local'
/** Targets that this control can run with. */
const TARGETS: readonly string[] = ['local']

/** Reads the flags; the token comes from the environment, since command lines are public. @throws CONTROL_FLAGS */
export function parseFlags(args: readonly string[], token: string | undefined): Flags {
  const { project, target } = parseValues(args)
  if (!TARGETS.includes(target)) throw toUsage(`--target ${target}: expected ${TARGETS.join(' or ')}`)
  if (token === undefined || !/^[\w.~+/=-]+$/.test(token))
    throw toUsage('REGATTA_TOKEN: expected the admin token in the environment')
  return { project, token }
}

function parseValues(args: readonly string[]) {
  const project = { type: 'string', default: '.' } as const
  const target = { type: 'string', default: 'local' } as const
  try {
    return parseArgs({ args: [...args], options: { project, target } }).values
  } catch (error) {
    throw toUsage(`these flags: ${toErrorText(error)}`)
  }
}

function toUsage(what: string): UsageError {
  return new UsageError('CONTROL_FLAGS', `Cannot use ${what}`, { fix: USAGE })
}
