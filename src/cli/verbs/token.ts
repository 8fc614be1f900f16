import { RegattaError, UsageError } from '../../core/errors.ts'
import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'
import type { Workplace } from '../workplace.node.ts'

/** Scopes that a person hands out. A gateway gets its own from `up`. */
const SCOPES = ['truth', 'read', 'predict', 'admin'] as const

/** `regatta token`: the bearer token of one scope, for a client that needs no more. */
export const token = verb<Record<never, never>>({
  brief: 'Print a token that may do one thing',
  description:
    'truth: report truths. read: see predictions and logs. predict: ask for predictions, where serve.access is token. ' +
    'admin: everything, predictions left out. ' +
    'For example: curl -H "authorization: Bearer $(regatta token truth)" …',
  flags: {},
  args: [{ brief: 'truth, read, predict or admin', placeholder: 'scope' }],
  deployment: true,
  async run(call, _flags, [text = '']) {
    const scope = SCOPES.find(item => item === text)
    if (scope === undefined) {
      throw new UsageError('SCOPE', `Cannot make a token for "${text}": expected one of ${SCOPES.join(', ')}`, {
        fix: 'regatta token truth',
      })
    }
    const { toScopedToken } = await import('../../control/index.ts')
    const { readToken } = await import('../token.node.ts')
    const { openWorkplace } = await import('../workplace.node.ts')
    const workplace = await openWorkplace(call)
    const admin =
      call.target === 'kubernetes' ? await readClusterToken(workplace) : await readToken(workplace.paths.token)
    if (admin === undefined) {
      const isLocal = call.target === 'local'
      throw new RegattaError('TOKEN_NONE', 'There is no token yet', {
        where: isLocal ? workplace.paths.token : 'the Secret of the deployment in the cluster',
        fix: isLocal ? 'regatta up -d' : 'regatta deploy makes one',
      })
    }
    const value = scope === 'admin' ? admin : toScopedToken(admin, scope)
    call.out(call.json ? `${JSON.stringify({ schema: 'regatta/token/v1', scope, token: value })}\n` : `${value}\n`)
    return EXIT.done
  },
})

/** Everybody who may read the Secret has the same, whoever deployed first. */
async function readClusterToken(workplace: Workplace): Promise<string | undefined> {
  const { openCluster } = await import('../cluster.node.ts')
  const { readAdminToken } = await import('../../deploy/index.ts')
  return await readAdminToken(await openCluster(workplace), workplace.project.name)
}
