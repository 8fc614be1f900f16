import { EXIT } from '../errors.ts'
import { toPackedLines } from '../packed-view.ts'
import { verb } from '../verb.ts'

/** `regatta pack`: a run, or a model made elsewhere, becomes an image. */
export const pack = verb<{ model: string | undefined; output: string | undefined }>({
  brief: 'Make an image of a run',
  description:
    'Packs the given run (default: the last one that is done), or the folder given with --model, into the image layout ' +
    '`.regatta/oci`. The same input always gives the same digest; a run that is packed already gives its version again.',
  flags: {
    model: {
      kind: 'parsed',
      parse: String,
      brief: 'Pack a model made elsewhere',
      placeholder: 'folder',
      optional: true,
    },
    output: {
      kind: 'parsed',
      parse: String,
      brief: 'Write the image into another layout',
      placeholder: 'layout',
      optional: true,
    },
  },
  args: [{ brief: 'A run, by its id or the first letters of it', placeholder: 'run', optional: true }],
  async run(call, flags, [runId]) {
    const { openWorkplace } = await import('../workplace.node.ts')
    const { packInto } = await import('../packing.node.ts')
    const packed = await packInto(call, await openWorkplace(call), { runId, model: flags.model, output: flags.output })
    if (call.json) call.out(`${JSON.stringify({ schema: 'regatta/pack/v1', ...packed })}\n`)
    else {
      call.err(toPackedLines(packed))
      call.out(`${packed.digest}\n`)
    }
    return EXIT.done
  },
})
