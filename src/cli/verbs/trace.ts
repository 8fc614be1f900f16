import { parsePredictionId } from '../../core/uuid.ts'
import { EXIT } from '../errors.ts'
import { toTraceLines } from '../trace-view.ts'
import { verb } from '../verb.ts'

/** `regatta trace`: from a prediction back to the commit its model was trained at. */
export const trace = verb<Record<never, never>>({
  brief: 'Show where a prediction came from: variant, image, run, params, data, commit',
  flags: {},
  args: [
    { brief: 'The id of the x-regatta-prediction header, with /ROW for a row of a batch', placeholder: 'prediction' },
  ],
  deployment: true,
  async run(call, _flags, [id = '']) {
    const { openClient } = await import('../client.node.ts')
    const { openWorkplace } = await import('../workplace.node.ts')
    const { request, row } = parsePredictionId(id)
    await using client = await openClient(call, await openWorkplace(call))
    const chain = await client.trace(`${request}/${row}`)
    call.out(call.json ? `${JSON.stringify(chain)}\n` : toTraceLines(chain))
    return EXIT.done
  },
})
