import { UsageError } from '../../core/errors.ts'
import { EXIT } from '../errors.ts'
import { toRunJson } from '../run-json.ts'
import { toTrainingView } from '../training-view.ts'
import { verb } from '../verb.ts'

/** `regatta train`: one execution of the training command, kept as a run. */
export const train = verb<{ set: readonly string[] | undefined }>({
  brief: 'Run the training command and keep its run',
  description:
    'The command of `train.run` gets REGATTA_PARAMS (JSON) and REGATTA_OUTPUT (the folder to leave the model in). ' +
    'Lines of JSON on its stdout, such as {"epoch":3,"loss":1.5}, become metrics. A run that fails is kept as failed.',
  flags: {
    set: {
      kind: 'parsed',
      parse: String,
      brief: 'Another value for one of train.params',
      placeholder: 'name=value',
      variadic: true,
      optional: true,
    },
  },
  async run(call, flags) {
    const set = parseSet(flags.set ?? [])
    const { openWorkplace } = await import('../workplace.node.ts')
    const { runTraining } = await import('../../train/index.ts')
    const { layout, project } = await openWorkplace(call)
    const view = toTrainingView(call)
    const run = await runTraining(
      {
        project,
        set,
        layout,
        clock: call.clock,
        env: call.env,
        node: call.installation.node,
        onEvent: view.onEvent,
      },
      call.signal,
    )
    view.close()
    if (call.json) call.out(`${JSON.stringify(toRunJson(run))}\n`)
    else call.out(`${run.record.id}\n`)
    return run.record.state === 'done' ? EXIT.done : run.record.state === 'interrupted' ? EXIT.interrupted : EXIT.failed
  },
})

/** Reads `name=value` pairs; a value that is JSON (a number, true, false) is that, everything else is text. */
export function parseSet(pairs: readonly string[]): Readonly<Record<string, string | number | boolean>> {
  return Object.fromEntries(
    pairs.map(pair => {
      const mark = pair.indexOf('=')
      if (mark < 1) {
        throw new UsageError('SET', `Cannot read --set "${pair}": expected name=value`, {
          fix: 'For example --set hidden=100',
        })
      }
      return [pair.slice(0, mark), parseValue(pair.slice(mark + 1))]
    }),
  )
}

function parseValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  const number = Number(text)
  return text.trim() !== '' && Number.isFinite(number) ? number : text
}
