import { parseArgs } from 'node:util'
import { toErrorText, UsageError } from '../core/errors.ts'

/** What the command line and the environment say about a control of its own. */
export interface Flags {
  readonly target: 'local' | 'kubernetes'
  /** Folder of regatta.yaml. */
  readonly project: string
  /** Folder that `.regatta` is in: the database, and what is known of images. @default the project's */
  readonly state: string
  /** Namespace of the cluster. @default that of the pod */
  readonly namespace: string | undefined
  /** Port to listen on, in a cluster. */
  readonly port: number
  readonly token: string
  /** Where it is one of several in a cluster, of which one leads: its name, and its address for the others. */
  readonly one: { readonly holder: string; readonly address: string } | undefined
}

const USAGE =
  'REGATTA_TOKEN=TOKEN, --project FOLDER --target local, or --project FOLDER --state FOLDER --target kubernetes ' +
  '[--namespace NAMESPACE] [--port PORT] [--holder NAME --address IP]'
/** Targets that this control can run with. */
const TARGETS = ['local', 'kubernetes'] as const

/** Reads the flags; the token comes from the environment, since command lines are public. @throws CONTROL_FLAGS */
export function parseFlags(args: readonly string[], token: string | undefined): Flags {
  const { address, holder, namespace, port, project, state, target: named } = parseValues(args)
  const target = TARGETS.find(name => name === named)
  if (target === undefined) throw toUsage(`--target ${named}: expected ${TARGETS.join(' or ')}`)
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw toUsage(`--port ${port}: expected 0–65535`)
  if (token === undefined || !/^[\w.~+/=-]+$/.test(token))
    throw toUsage('REGATTA_TOKEN: expected the admin token in the environment')
  if ((holder === undefined) !== (address === undefined) || (holder !== undefined && target !== 'kubernetes'))
    throw toUsage('--holder and --address: expected both, with --target kubernetes')
  const one = holder === undefined || address === undefined ? undefined : { holder, address }
  return { target, project, state: state ?? project, namespace, port: Number(port), token, one }
}

function parseValues(args: readonly string[]) {
  const text = { type: 'string' } as const
  const options = {
    project: { ...text, default: '.' },
    target: { ...text, default: 'local' },
    port: { ...text, default: '8400' },
    state: text,
    namespace: text,
    holder: text,
    address: text,
  } as const
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw toUsage(`these flags: ${toErrorText(error)}`)
  }
}

function toUsage(what: string): UsageError {
  return new UsageError('CONTROL_FLAGS', `Cannot use ${what}`, { fix: USAGE })
}
