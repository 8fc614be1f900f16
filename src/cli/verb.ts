import { resolve } from 'node:path'
import { type ApplicationContext, buildCommand, type Command, type FlagParametersForType } from '@stricli/core'
import { UsageError } from '../core/errors.ts'
import { EXIT, toErrorJson, toErrorLines, toExitCode, toKnownError } from './errors.ts'
import type { World } from './world.ts'

/** What stricli hands to a verb. */
export interface Context extends ApplicationContext {
  readonly world: World
}

/** The flags every verb has. */
export interface CommonFlags {
  readonly json: boolean
  readonly cwd: string | undefined
  /** Only of verbs about a deployment. */
  readonly target?: string | undefined
}

/** What a verb's function gets beside its flags and arguments. */
export interface Call extends World {
  readonly json: boolean
  readonly target: TargetName
}

/** Where a deployment runs. */
export type TargetName = (typeof TARGETS)[number]

const TARGETS = ['local', 'kubernetes'] as const

/** One positional argument, taken as text. */
export interface Argument {
  readonly brief: string
  /** How help names the value; the word is stricli's. */
  readonly placeholder: string
  readonly optional?: boolean
}

/** A verb as its file describes it. `run` returns the exit code. */
export interface VerbDefinition<flags extends Readonly<Record<string, unknown>>> {
  readonly brief: string
  /** Paragraphs of `--help`, also printed in docs. */
  readonly description?: string
  readonly flags: FlagParametersForType<flags, Context>
  readonly args?: readonly Argument[]
  /** Takes any number of further arguments after `args`. */
  readonly rest?: Argument
  /** One-letter names of flags. */
  readonly aliases?: Readonly<Record<string, keyof flags & string>>
  /** The verb is about a deployment: it takes `--target`. */
  readonly deployment?: true
  readonly run: (call: Call, flags: flags, args: readonly string[]) => Promise<number>
}

/**
 * Makes a stricli command of a verb: adds `--json` and `--cwd`, turns thrown errors into their lines (or one JSON
 * document) and their exit code.
 */
export function verb<flags extends Readonly<Record<string, unknown>>>(
  definition: VerbDefinition<flags>,
): Command<Context> {
  const common = {
    json: { kind: 'boolean', brief: 'Print one JSON document on stdout', default: false, withNegated: false },
    cwd: { kind: 'parsed', parse: String, brief: 'Work in this folder', placeholder: 'folder', optional: true },
    ...(definition.deployment && {
      target: {
        kind: 'parsed',
        parse: String,
        brief: 'Where it runs: local or kubernetes (default: REGATTA_TARGET, else local)',
        placeholder: 'target',
        optional: true,
      },
    }),
  }
  async function func(this: Context, flags: flags & CommonFlags, ...args: readonly string[]): Promise<void> {
    const { world } = this
    const cwd = flags.cwd === undefined ? world.cwd : resolve(world.cwd, flags.cwd)
    this.process.exitCode = await runVerb(definition, { ...world, cwd, json: flags.json, target: 'local' }, flags, args)
  }
  const toParameter = (argument: Argument) => ({ ...argument, parse: String })
  const positional =
    definition.rest === undefined
      ? { kind: 'tuple', parameters: (definition.args ?? []).map(toParameter) }
      : { kind: 'array', parameter: toParameter(definition.args?.[0] ?? definition.rest) }
  return buildCommand<flags & CommonFlags, readonly string[], Context>({
    // stricli cannot see that an intersection of flag tables is the flag table of the intersection.
    parameters: {
      flags: { ...definition.flags, ...common },
      aliases: definition.aliases ?? {},
      positional,
    } as never,
    docs: {
      brief: definition.brief,
      ...(definition.description === undefined ? {} : { fullDescription: definition.description }),
    },
    func: func as never,
  })
}

async function runVerb<flags extends Readonly<Record<string, unknown>>>(
  definition: VerbDefinition<flags>,
  call: Call,
  flags: flags & CommonFlags,
  args: readonly string[],
): Promise<number> {
  try {
    const target = parseTarget(flags.target ?? (call.env['REGATTA_TARGET'] || 'local'))
    const code = await definition.run(
      { ...call, target },
      flags,
      args.filter(argument => argument !== undefined),
    )
    return call.signal.aborted && code === EXIT.done ? EXIT.interrupted : code
  } catch (thrown) {
    const error = toKnownError(thrown, call.cwd)
    const code = toExitCode(error, call.signal)
    if (code === EXIT.interrupted) call.err('interrupted\n')
    else if (call.json) call.out(toErrorJson(error))
    else call.err(toErrorLines(error))
    return code
  }
}

function parseTarget(text: string): TargetName {
  const target = TARGETS.find(name => name === text)
  if (target !== undefined) return target
  throw new UsageError('TARGET', `Cannot use target "${text}": expected ${TARGETS.join(' or ')}`, {
    fix: 'For example --target kubernetes',
  })
}
