import { toFigure } from '../../core/figure.ts'
import { EXIT } from '../errors.ts'
import { toLastMetrics, toRunJson } from '../run-json.ts'
import { toDuration, toTable } from '../terminal.ts'
import { toParamsText } from '../training-view.ts'
import { verb } from '../verb.ts'

/** `regatta runs`: what was trained here, the latest first. */
export const runs = verb<Record<never, never>>({
  brief: 'List the runs, or show one',
  flags: {},
  args: [{ brief: 'A run, by its id or the first letters of it', placeholder: 'run', optional: true }],
  async run(call, _flags, [id]) {
    const { openWorkplace } = await import('../workplace.node.ts')
    const { listRuns, readRun } = await import('../../train/index.ts')
    const { layout, project } = await openWorkplace(call)
    if (id !== undefined) {
      const run = await readRun(project.folder, layout, id)
      call.out(
        call.json
          ? `${JSON.stringify({ ...run.record, digest: run.digest })}\n`
          : `${JSON.stringify(toRunJson(run), null, 2)}\n`,
      )
      return EXIT.done
    }
    const all = await listRuns(project.folder, layout, call.clock)
    if (call.json) {
      call.out(`${JSON.stringify({ schema: 'regatta/runs/v1', runs: all.map(toRunJson) })}\n`)
      return EXIT.done
    }
    if (all.length === 0) call.err('no runs yet; try: regatta train\n')
    else
      call.out(
        toTable(
          ['RUN', 'STATE', 'STARTED', 'TOOK', 'METRICS', 'PARAMS'],
          all.map(run => toRow(run.record)),
        ),
      )
    return EXIT.done
  },
})

function toRow(record: import('../../train/index.ts').RunRecord): readonly string[] {
  const metrics = Object.entries(toLastMetrics(record)).map(([name, value]) => `${name} ${toFigure(value)}`)
  const started = new Date(record.startedAt).toISOString().slice(0, 16).replace('T', ' ')
  return [
    record.id.slice(0, 8),
    record.state,
    started,
    toDuration(record.endedAt - record.startedAt),
    metrics.join(' '),
    toParamsText(record.params),
  ]
}
