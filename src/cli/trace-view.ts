import type { TraceJson } from '../control/index.ts'
import { toFigure } from '../core/figure.ts'
import { toParamsText } from './training-view.ts'

/** The chain of a prediction, a block of lines for each variant that answered. */
export function toTraceLines(trace: TraceJson): string {
  const truth =
    trace.truth === null ? 'not here yet' : `${JSON.stringify(trace.truth.value)} (revision ${trace.truth.revision})`
  const blocks = trace.answers.map(answer => {
    const git =
      answer.git === null
        ? 'not in a repository'
        : `${answer.git.commit}${answer.git.dirty ? ' with uncommitted changes' : ''}`
    return [
      `${answer.served ? 'answered by' : 'shadowed by'} ${answer.variant}, version ${answer.version}, on ${answer.replica} in ${toFigure(answer.latencyMs)} ms`,
      `  prediction ${JSON.stringify(answer.prediction)}${answer.loss === null ? '' : `, loss ${toFigure(answer.loss)}`}`,
      `  image      ${answer.image}`,
      `  run        ${answer.run === null ? 'none: the model was packed from a folder' : `${answer.runId ?? ''} (${answer.run})`}`,
      `  params     ${toParamsText(answer.params)}`,
      ...answer.data.map(({ digest, path }) => `  data       ${path} (${digest})`),
      `  commit     ${git}`,
    ].join('\n')
  })
  return `prediction ${trace.prediction} of ${trace.at}\ntruth ${truth}\n${blocks.join('\n')}\n`
}
