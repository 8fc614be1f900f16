import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'

type Flags = {
  readonly race: number | undefined
  readonly output: string
  readonly format: string | undefined
}

/** `regatta export`: the outcomes of a race as a table, to train on or to look at. */
export const exportVerb = verb<Flags>({
  brief: 'Write the outcomes of a race: predictions joined to their truths, with losses',
  description:
    'One row for each prediction of each variant whose truth is known: request, row, variant, version, at, series, ' +
    'target_at, prediction, truth, loss, served, propensity, epoch, input, output, entity, covariate, pinned, champion. ' +
    'Rows stream, so a long race needs little memory. regatta race --from FILE replays them.',
  flags: {
    race: {
      kind: 'parsed',
      parse: parseRace,
      brief: "The race's number; default: the running race, or the last one",
      placeholder: 'id',
      optional: true,
    },
    output: {
      kind: 'parsed',
      parse: String,
      brief: 'File ending in .parquet, .ndjson or .csv; - is stdout',
      placeholder: 'file',
      default: '-',
    },
    format: {
      kind: 'parsed',
      parse: String,
      brief: "parquet, ndjson or csv; default: as the file's name says, stdout is ndjson",
      placeholder: 'format',
      optional: true,
    },
  },
  deployment: true,
  async run(call, flags) {
    const { exportOutcomes } = await import('../export/export.node.ts')
    const { race, outcomes, path } = await exportOutcomes(call, flags)
    if (path === undefined) call.err(`${outcomes} outcomes of race ${race}\n`)
    else if (call.json) call.out(`${JSON.stringify({ schema: 'regatta/export/v1', race, outcomes, path })}\n`)
    else call.out(`${path}: ${outcomes} outcomes of race ${race}\n`)
    return EXIT.done
  },
})

function parseRace(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new Error(`expected the number of a race, found "${text}"`)
}
