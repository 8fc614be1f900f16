import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'

type Flags = { readonly insecure: boolean; readonly force: boolean }

/** `regatta copy`: an image goes from a registry or layout to another. */
export const copy = verb<Flags>({
  brief: 'Copy an image between registries and layouts',
  description:
    'Copies an image with all its platforms and with what is known about it. Each side is a reference, or ' +
    '`oci:PATH[:NAME]` for an image layout in a folder. Digests stay as they are.',
  flags: {
    insecure: {
      kind: 'boolean',
      brief: 'Allow plain HTTP to hosts other than this one',
      default: false,
      withNegated: false,
    },
    force: { kind: 'boolean', brief: 'Move a tag from another image', default: false, withNegated: false },
  },
  args: [
    { brief: 'What to copy', placeholder: 'from' },
    { brief: 'Where to', placeholder: 'to' },
  ],
  async run(call, flags, [from = '', to = '']) {
    const { copyBetween } = await import('../moving.node.ts')
    const { toMovedJson } = await import('../moving.ts')
    const { moved, target } = await copyBetween(call, { ...flags, from, to })
    if (call.json) call.out(toMovedJson('copy', target, moved))
    else {
      call.err(`copied to ${target}\n`)
      call.out(`${moved.digest}\n`)
    }
    return EXIT.done
  },
})
