import {
  type Application,
  buildApplication,
  buildRouteMap,
  generateHelpTextForAllCommands,
  proposeCompletions,
  run,
  text_en,
} from '@stricli/core'
import { UsageError } from '../core/errors.ts'
import { EXIT, toErrorJson, toErrorLines } from './errors.ts'
import { VERSION } from './installation.ts'
import type { Context } from './verb.ts'
import { completion } from './verbs/completion.ts'
import { copy } from './verbs/copy.ts'
import { deleteVerb } from './verbs/delete.ts'
import { demo } from './verbs/demo.ts'
import { deploy } from './verbs/deploy.ts'
import { doctor } from './verbs/doctor.ts'
import { down } from './verbs/down.ts'
import { exportVerb } from './verbs/export.ts'
import { history } from './verbs/history.ts'
import { init } from './verbs/init.ts'
import { logs } from './verbs/logs.ts'
import { pack } from './verbs/pack.ts'
import { predict } from './verbs/predict.ts'
import { promote } from './verbs/promote.ts'
import { prune } from './verbs/prune.ts'
import { pull } from './verbs/pull.ts'
import { push } from './verbs/push.ts'
import { race } from './verbs/race.ts'
import { render } from './verbs/render.ts'
import { rollback } from './verbs/rollback.ts'
import { runs } from './verbs/runs.ts'
import { serve } from './verbs/serve.ts'
import { status } from './verbs/status.ts'
import { token } from './verbs/token.ts'
import { trace } from './verbs/trace.ts'
import { train } from './verbs/train.ts'
import { truth } from './verbs/truth.ts'
import { up } from './verbs/up.ts'
import { verify } from './verbs/verify.ts'
import type { World } from './world.ts'

/** Every verb, in the order of the story that they tell. */
export const VERBS = {
  init,
  train,
  runs,
  pack,
  verify,
  push,
  pull,
  copy,
  up,
  down,
  deploy,
  status,
  logs,
  predict,
  truth,
  race,
  promote,
  rollback,
  history,
  trace,
  export: exportVerb,
  token,
  render,
  doctor,
  delete: deleteVerb,
  prune,
  serve,
  demo,
  completion,
} as const

const app: Application<Context> = buildApplication(
  buildRouteMap({
    routes: VERBS,
    docs: {
      brief: 'Takes a model from a training script to production and lets live data decide which model stays there',
    },
  }),
  {
    name: 'regatta',
    versionInfo: { currentVersion: VERSION },
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    documentation: { caseStyle: 'convert-camel-to-kebab', disableAnsiColor: true },
    localization: { text: text_en },
  },
)

/** Runs one command line. Returns the exit code: 0 done, 1 work failed, 2 wrong usage, 3 undecided, 130 interrupted. */
export async function main(argv: readonly string[], world: World): Promise<number> {
  const complaints: string[] = []
  const context = toContext(world, text => void complaints.push(text))
  await run(app, argv, context)
  const code = Number(context.process.exitCode ?? EXIT.done)
  // stricli's own failures (unknown verb or flag, missing argument) are negative: all of them are wrong usage.
  if (code >= 0) return code
  const error = toUsageError(complaints.join('').trim(), argv[0])
  if (argv.includes('--json')) world.out(toErrorJson(error))
  else world.err(toErrorLines(error))
  return EXIT.usage
}

function toUsageError(what: string, verb = ''): UsageError {
  return new UsageError('USAGE', what, { fix: verb in VERBS ? `regatta ${verb} --help` : 'regatta --help' })
}

/** Words that may come next on a command line. */
export async function proposeWords(world: World, words: readonly string[]): Promise<readonly string[]> {
  const found = await proposeCompletions(app, words, toContext(world, world.err))
  return found.map(({ completion: word }) => word)
}

/** A page of documentation for each verb, in Markdown, from the words that `--help` prints. */
export function toVerbPages(): readonly { readonly name: string; readonly text: string }[] {
  // Help needs no context, which stricli's type cannot say.
  return generateHelpTextForAllCommands(app as never).map(([route, help]) => ({
    name: route.replace(/^regatta /, ''),
    text: `# ${route}\n\n\`\`\`\n${help.trim()}\n\`\`\`\n\nExit codes: 0 done, 1 work failed, 2 wrong usage, 3 no verdict yet, 130 interrupted.\n`,
  }))
}

/** `complain` is told what stricli itself has to say; verbs write to the world. */
function toContext(world: World, complain: (text: string) => void): Context {
  return {
    world,
    process: {
      stdout: { write: world.out },
      stderr: { write: complain },
      env: { ...world.env, STRICLI_NO_COLOR: '1' },
    },
  }
}
