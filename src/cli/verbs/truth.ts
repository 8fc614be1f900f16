import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'

/** `regatta truth`: reports what really happened. */
export const truth = verb<Record<never, never>>({
  brief: 'Report truths from a file',
  description:
    'The file is a JSON array or has one JSON object per line: {"prediction": ID, "value": 3} or {"series": "s", "at": "2026-01-31", "value": 3}. ' +
    'Reporting the same truth twice changes nothing; a higher "revision" replaces it. - reads stdin.',
  flags: {},
  args: [{ brief: 'The file, or -', placeholder: 'file' }],
  async run(call, _flags, [file = '-']) {
    const { openClient } = await import('../client.node.ts')
    const { sendTruths } = await import('../truths.node.ts')
    const { openWorkplace } = await import('../workplace.node.ts')
    const client = await openClient((await openWorkplace(call)).paths, call.signal)
    const counts = await sendTruths(call, client, file)
    const text = Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join('  ')
    call.out(call.json ? `${JSON.stringify({ schema: 'regatta/truth/v1', ...counts })}\n` : `${text}\n`)
    return EXIT.done
  },
})
