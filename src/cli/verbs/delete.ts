import { UsageError } from '../../core/errors.ts'
import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'

/** `regatta delete`: ends the deployment; images, runs and the database stay. */
export const deleteVerb = verb<{ yes: boolean }>({
  brief: 'Stop the deployment and forget it',
  description: 'Images, runs, predictions and decisions stay. Needs --yes, since clients lose their gateway.',
  flags: { yes: { kind: 'boolean', brief: 'Really do it', default: false, withNegated: false } },
  async run(call, flags) {
    if (!flags.yes) {
      throw new UsageError('DELETE_YES', 'Cannot delete a deployment without --yes: its clients lose their gateway', {
        fix: 'regatta delete --yes',
      })
    }
    const { openClient } = await import('../client.node.ts')
    const { ensureUp, stopUp } = await import('../up.node.ts')
    const { openWorkplace } = await import('../workplace.node.ts')
    const workplace = await openWorkplace(call)
    const { started } = await ensureUp(call, workplace)
    await (await openClient(workplace.paths, call.signal)).deleteDeployment()
    if (started) await stopUp(call, workplace)
    call.out(
      call.json
        ? `${JSON.stringify({ schema: 'regatta/delete/v1', deployment: workplace.project.name })}\n`
        : `deleted ${workplace.project.name}\n`,
    )
    return EXIT.done
  },
})
