import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'

/** `regatta render`: the objects of a deployment as YAML, for GitOps, or the rights to deploy them. */
export const render = verb<{ rbac: boolean }>({
  brief: 'Print the Kubernetes objects of a deployment as YAML',
  description:
    'Prints what `regatta deploy --target kubernetes` makes for the version (default: the latest) as the first champion, ' +
    'without the Secret of its token. With --rbac prints the account, the role and the binding that whoever deploys needs.',
  flags: {
    rbac: { kind: 'boolean', brief: 'Print the rights that deploying needs', default: false, withNegated: false },
  },
  args: [{ brief: 'The version, a whole number', placeholder: 'version', optional: true }],
  async run(call, { rbac }, [text]) {
    const { openWorkplace } = await import('../workplace.node.ts')
    const { renderAccess, renderObjects } = await import('../rendering.node.ts')
    const workplace = await openWorkplace(call)
    call.out(rbac ? await renderAccess(call, workplace) : await renderObjects(call, workplace, text))
    return EXIT.done
  },
})
