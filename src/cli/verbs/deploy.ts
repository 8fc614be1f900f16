import type { DeployRequestJson } from '../../control/index.ts'
import { parseVariantName } from '../../core/brands.ts'
import { UsageError } from '../../core/errors.ts'
import type { Version } from '../../pack/index.ts'
import type { Deployed } from '../deploying.node.ts'
import { EXIT } from '../errors.ts'
import { REASON_FLAG, type ReasonFlag } from '../reason.ts'
import { type Call, verb } from '../verb.ts'
import type { Workplace } from '../workplace.node.ts'

type Flags = {
  readonly challenger: string | undefined
  readonly shadow: boolean
  readonly weight: string | undefined
  readonly ramp: boolean
  readonly wait: boolean
  readonly dryRun: boolean
  readonly forceConflicts: boolean
} & ReasonFlag

/** `regatta deploy`: a version becomes the champion, or a challenger beside it. */
export const deploy = verb<Flags>({
  brief: 'Deploy a version as champion, or as challenger beside it',
  description:
    'Deploys the version (default: the latest) and waits until every replica is ready, or says which is not and why. ' +
    'Starts `regatta up -d` where it does not run. With --challenger the version races against the champion, beside ' +
    'other challengers: --shadow gives it copies of every request, --weight a share of them, --ramp the shares of ' +
    '`race.ramp` one after the other while it keeps to `race.guardrails`.',
  flags: {
    challenger: {
      kind: 'parsed',
      parse: String,
      brief: 'Deploy as a challenger of this name',
      placeholder: 'name',
      optional: true,
    },
    shadow: {
      kind: 'boolean',
      brief: 'The challenger sees copies and answers nobody',
      default: false,
      withNegated: false,
    },
    weight: {
      kind: 'parsed',
      parse: String,
      brief: 'Share of the requests that the challenger answers',
      placeholder: '10%',
      optional: true,
    },
    ramp: {
      kind: 'boolean',
      brief: 'The challenger answers the shares of race.ramp, one after the other',
      default: false,
      withNegated: false,
    },
    wait: { kind: 'boolean', brief: 'Wait until every replica is ready', default: true },
    dryRun: { kind: 'boolean', brief: 'Print the plan and do nothing', default: false, withNegated: false },
    forceConflicts: {
      kind: 'boolean',
      brief: 'On Kubernetes: take over fields of the objects that others have set',
      default: false,
      withNegated: false,
    },
    ...REASON_FLAG,
  },
  args: [{ brief: 'The version, a whole number', placeholder: 'version', optional: true }],
  deployment: true,
  async run(call, flags, [text]) {
    const role = toRole(flags)
    const { openWorkplace } = await import('../workplace.node.ts')
    const { resolveVersion } = await import('../versions.node.ts')
    const { deployVersion } = await import('../deploying.node.ts')
    const workplace = await openWorkplace(call)
    const version = await resolveVersion(workplace, text)
    const request: DeployRequestJson = { version: version.version, digest: version.digest, ...role }
    if (call.target === 'kubernetes') return await deployKube(call, workplace, { version, request, ...flags })
    if (flags.dryRun) {
      call.out(
        `${JSON.stringify({ schema: 'regatta/deploy-plan/v1', replicas: workplace.project.serve.replicas, ...request }, null, 2)}\n`,
      )
      return EXIT.done
    }
    await printDeployed(call, await deployVersion(call, workplace, { request, ...flags }))
    return EXIT.done
  },
})

async function printDeployed(call: Call, { client, response, status }: Deployed): Promise<void> {
  await using _client = client
  if (call.json) call.out(`${JSON.stringify({ ...response, gateway: status.gateway.url, ready: status.ready })}\n`)
  else call.out(`${status.gateway.url ?? ''}\n`)
}

interface KubeWish extends ReasonFlag {
  readonly version: Version
  readonly request: DeployRequestJson
  readonly wait: boolean
  readonly dryRun: boolean
  readonly forceConflicts: boolean
}

async function deployKube(call: Call, workplace: Workplace, wish: KubeWish): Promise<number> {
  const { deployToCluster, planForCluster } = await import('../cluster-deploying.node.ts')
  const { toChangeLines } = await import('../change-view.ts')
  const force = wish.forceConflicts
  if (!wish.dryRun) {
    await printDeployed(call, await deployToCluster(call, workplace, { ...wish, force }))
    return EXIT.done
  }
  const changes = await planForCluster(call, workplace, { ...wish, force })
  const document = { schema: 'regatta/deploy-plan/v1', replicas: workplace.project.serve.replicas, ...wish.request }
  call.out(call.json ? `${JSON.stringify({ ...document, changes })}\n` : toChangeLines(changes))
  return EXIT.done
}

/** Reads what the challenger's flags say. @throws DEPLOY_USAGE, WEIGHT, VARIANT_NAME */
export function toRole(
  flags: Pick<Flags, 'challenger' | 'shadow' | 'weight' | 'ramp'>,
): Pick<DeployRequestJson, 'variant' | 'challenger'> {
  const { challenger, shadow, weight, ramp } = flags
  const ways = Number(shadow) + Number(weight !== undefined) + Number(ramp)
  if (challenger === undefined) {
    if (ways === 0) return {}
    throw new UsageError('DEPLOY_USAGE', 'Cannot use --shadow, --weight or --ramp without --challenger', {
      fix: 'Name the challenger: --challenger b --shadow',
    })
  }
  const variant = parseVariantName(challenger)
  if (ways !== 1) {
    throw new UsageError('DEPLOY_USAGE', 'A challenger is either in shadow, or has a weight, or a ramp', {
      fix: 'Give one of --shadow, --weight 10% and --ramp',
    })
  }
  if (weight !== undefined) return { variant, challenger: { mode: 'split', weight: parseShare(weight) } }
  return { variant, challenger: { mode: ramp ? 'ramp' : 'shadow' } }
}

/** Reads a share, `10%` or `0.1`, as a fraction between 0 and 1, both excluded. @throws WEIGHT */
export function parseShare(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text)
  const share = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1)
  if (!(share > 0 && share < 1)) {
    throw new UsageError('WEIGHT', `Cannot read "${text}" as a share: expected more than 0% and less than 100%`, {
      fix: 'For example --weight 10%',
    })
  }
  return share
}
