import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'

type Flags = {
  readonly format: string | undefined
  readonly columns: string | undefined
  readonly onError: 'stop' | 'skip'
}

/** `regatta truth`: reports what really happened. */
export const truth = verb<Flags>({
  brief: 'Report truths from a file: JSON, NDJSON, CSV or Parquet',
  description:
    'A truth is {"prediction": ID, "value": 3} or {"series": "s", "at": "2026-01-31", "value": 3}, with "revision" and ' +
    '"source" where there are any; a table has columns of these names. Reporting the same truth twice changes nothing, ' +
    'so a file that was sent half-way is sent again; a higher "revision" replaces a truth. - reads stdin.',
  flags: {
    format: {
      kind: 'parsed',
      parse: String,
      brief: "json, ndjson, csv or parquet; default: as the file's name says, stdin is json",
      placeholder: 'format',
      optional: true,
    },
    columns: {
      kind: 'parsed',
      parse: String,
      brief: 'Columns with other names: value=y,at=ts',
      placeholder: 'field=column,…',
      optional: true,
    },
    onError: {
      kind: 'enum',
      values: ['stop', 'skip'],
      brief: 'What to do at a row that is wrong: stop there, or leave it out and count it',
      default: 'stop',
    },
  },
  args: [{ brief: 'The file, or -', placeholder: 'file' }],
  deployment: true,
  async run(call, flags, [file = '-']) {
    const { reportTruths } = await import('../truths/report.node.ts')
    const totals = await reportTruths(call, file, flags)
    const { rows: _, refused, ...counts } = totals
    const shown = Object.entries(refused === 0 ? counts : { ...counts, refused })
    const text = shown.map(([name, count]) => `${name} ${count}`).join('  ')
    call.out(call.json ? `${JSON.stringify({ schema: 'regatta/truth/v1', ...totals })}\n` : `${text}\n`)
    return EXIT.done
  },
})
