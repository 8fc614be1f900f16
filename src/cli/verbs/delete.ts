import { UsageError } from '../../core/errors.ts'
import { EXIT } from '../errors.ts'
import { REASON_FLAG, type ReasonFlag } from '../reason.ts'
import { type Call, verb } from '../verb.ts'

/** `regatta delete`: ends the deployment; images, runs and the database stay. */
export const deleteVerb = verb<{ yes: boolean } & ReasonFlag>({
  brief: 'Stop the deployment and forget it',
  description: 'Images, runs, predictions and decisions stay. Needs --yes, since clients lose their gateway.',
  flags: { yes: { kind: 'boolean', brief: 'Really do it', default: false, withNegated: false }, ...REASON_FLAG },
  deployment: true,
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
    if (call.target === 'kubernetes') {
      const { deleteFromCluster } = await import('../cluster-deploying.node.ts')
      const { deleted, kept } = await deleteFromCluster(workplace)
      for (const { object } of deleted) call.err(`deleted ${object}\n`)
      for (const claim of kept)
        call.err(
          `kept volume claim ${claim}, which the next deployment takes up; to lose it: kubectl delete pvc ${claim}\n`,
        )
      print(call, workplace.project.name)
      return EXIT.done
    }
    const { started } = await ensureUp(call, workplace)
    await using client = await openClient(call, workplace)
    await client.deleteDeployment(flags.reason)
    if (started) await stopUp(call, workplace)
    print(call, workplace.project.name)
    return EXIT.done
  },
})

function print(call: Call, deployment: string): void {
  const document = { schema: 'regatta/delete/v1', deployment }
  call.out(call.json ? `${JSON.stringify(document)}\n` : `deleted ${deployment}\n`)
}
