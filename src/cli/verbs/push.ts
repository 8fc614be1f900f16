import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'

type Flags = { readonly version: string | undefined; readonly insecure: boolean; readonly force: boolean }

/** `regatta push`: a packed version goes to a registry. */
export const push = verb<Flags>({
  brief: 'Push a packed version to a registry',
  description:
    'Pushes the version (default: the latest) to the given reference, or to `image.repository` of regatta.yaml; without a ' +
    'tag, the version is the tag. Only what the registry does not have is sent. Credentials are those that `docker login` ' +
    'or `skopeo login` left.\n\n' +
    'The repository of regatta.yaml also gets the image without a model that gateway and control run in a cluster, as ' +
    '`regatta-VERSION`, unless it has that tag.',
  flags: {
    version: {
      kind: 'parsed',
      parse: String,
      brief: 'The version to push, a whole number',
      placeholder: 'version',
      optional: true,
    },
    insecure: {
      kind: 'boolean',
      brief: 'Allow plain HTTP to hosts other than this one',
      default: false,
      withNegated: false,
    },
    force: { kind: 'boolean', brief: 'Move a tag from another image', default: false, withNegated: false },
  },
  args: [{ brief: 'Where to, such as registry.example.com/team/forecast:1', placeholder: 'reference', optional: true }],
  async run(call, flags, [reference]) {
    const { openWorkplace } = await import('../workplace.node.ts')
    const { pushVersion } = await import('../moving.node.ts')
    const { toPushedJson, toPushedLines } = await import('../moving.ts')
    const { moved, runtime, target } = await pushVersion(call, await openWorkplace(call), { ...flags, reference })
    if (call.json) call.out(toPushedJson(target, moved, runtime))
    else {
      call.err(toPushedLines(target, runtime))
      call.out(`${moved.digest}\n`)
    }
    return EXIT.done
  },
})
