import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'

type Flags = { readonly platform: string | undefined; readonly allPlatforms: boolean; readonly insecure: boolean }

/** `regatta pull`: an image comes from a registry. */
export const pull = verb<Flags>({
  brief: 'Pull an image into the project',
  description:
    'Pulls an image into the image layout `.regatta/oci`. One that regatta packed becomes a version of its model here, ' +
    'with what is known about it. Of an image for several platforms, the one of this machine is taken.',
  flags: {
    platform: {
      kind: 'parsed',
      parse: String,
      brief: 'Take another platform',
      placeholder: 'os/architecture',
      optional: true,
    },
    allPlatforms: { kind: 'boolean', brief: 'Take all platforms', default: false, withNegated: false },
    insecure: {
      kind: 'boolean',
      brief: 'Allow plain HTTP to hosts other than this one',
      default: false,
      withNegated: false,
    },
  },
  args: [{ brief: 'What to pull, such as registry.example.com/team/forecast:1', placeholder: 'reference' }],
  async run(call, flags, [reference = '']) {
    const { openWorkplace } = await import('../workplace.node.ts')
    const { pullInto } = await import('../moving.node.ts')
    const { toMovedJson } = await import('../moving.ts')
    const { moved, target } = await pullInto(call, await openWorkplace(call), { ...flags, reference })
    if (call.json) call.out(toMovedJson('pull', target, moved))
    else {
      call.err(`pulled ${target}\n`)
      call.out(`${moved.digest}\n`)
    }
    return EXIT.done
  },
})
