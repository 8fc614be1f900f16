import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makePlace, type Place, toProjectYaml } from '../../bin/testing/place.ts'
import { BUILT } from '../../src/cli/testing/program.ts'
import { isObject } from '../../src/core/json.ts'
import { type Kube, openKube, toDeployerAccess } from '../../src/deploy/index.ts'
import { toLinearModel } from '../../src/train/testing/onnx-model.ts'

const TRAIN = 'cp model.onnx "$REGATTA_OUTPUT/model.onnx"'
/** What `tools/test-kubernetes.ts` found. */
const REGISTRY = process.env['REGATTA_TEST_REGISTRY'] ?? ''

/** A namespace of its own with a project that is deployed there, as somebody who may do no more than they must. */
export interface Harbour extends AsyncDisposable {
  readonly place: Place
  /** With all rights, for what the test does to the cluster. */
  readonly admin: Kube
  readonly namespace: string
  /** The deployer's kubeconfig, as JSON. */
  readonly kubeconfig: string
  /** Runs `regatta … --json` with the deployer's rights: the document on stdout. */
  regatta<document>(args: readonly string[]): Promise<document>
  /** Runs it to any end. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): ReturnType<Place['run']>
  /** Makes the next version: a model whose answer is `weight` times what it is given. */
  pack(weight: number): Promise<Packed>
  /** The same with a model of its own. */
  packModel(model: Uint8Array): Promise<Packed>
  /** Rewrites regatta.yaml. */
  configure(options: ProjectOptions): void
}

/** A version that was packed and pushed. */
export interface Packed {
  readonly version: number
  readonly digest: string
}

/** How the project of a test differs from another. */
export interface ProjectOptions {
  readonly replicas?: number
  /** Keys of `serve` beside the replicas. */
  readonly serve?: string
  /** The training command. @default copies what `pack` of the harbour left */
  readonly train?: string
  /** Lines below `targets: kubernetes:`. */
  readonly kubernetes?: string
  readonly image?: string
}

/** The project of the tests. */
export function toProject(
  namespace: string,
  { replicas = 1, serve, kubernetes = '', image = '', train = TRAIN }: ProjectOptions,
): string {
  return toProjectYaml({
    train,
    lines: `image:\n  repository: ${REGISTRY}/${namespace}/linear\n  ${image}`,
    serve: `replicas: ${replicas}, ${serve ?? 'resources: { requests: { cpu: 20m, memory: 96Mi }, limits: { memory: 256Mi } }'}`,
    targets: `  kubernetes:
    namespace: ${namespace}
    ${/storage:|database:/.test(kubernetes) ? '' : 'storage: { ephemeral: true }'}
    ${kubernetes}`,
  })
}

let namespaces = 0

/** Makes a namespace of the level `restricted`, the rights to deploy there, and a project; disposing removes all. */
export async function openHarbour(options: ProjectOptions = {}): Promise<Harbour> {
  namespaces += 1
  const namespace = `regatta-${process.pid}-${namespaces}`
  const admin = await openKube({ context: undefined, namespace })
  await makeNamespace(admin)
  const home = mkdtempSync(join(tmpdir(), 'regatta-deployer-'))
  const kubeconfig = join(home, 'kubeconfig.json')
  writeFileSync(kubeconfig, JSON.stringify(await makeDeployer(admin)))
  const env = { KUBECONFIG: kubeconfig, REGATTA_TARGET: 'kubernetes' }
  const place = makePlace(toProject(namespace, options), { program: BUILT, env, limitMs: 240_000 })
  const packModel = async (model: Uint8Array): Promise<Packed> => {
    writeFileSync(join(place.folder, 'model.onnx'), model)
    await place.json(['train'])
    const packed = await place.json<Packed>(['pack'])
    await place.json(['push'])
    return packed
  }
  return {
    place,
    admin,
    namespace,
    kubeconfig,
    run: (args, env = {}) => place.run(args, { env }),
    regatta: args => place.json(args),
    configure: next => writeFileSync(join(place.folder, 'regatta.yaml'), toProject(namespace, next)),
    pack: weight => packModel(toLinearModel({ weight })),
    packModel,
    async [Symbol.asyncDispose]() {
      await admin.ask('DELETE', `/api/v1/namespaces/${namespace}`)
      await place[Symbol.asyncDispose]()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

async function makeNamespace(admin: Kube): Promise<void> {
  await admin.ask('POST', '/api/v1/namespaces', {
    body: {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: admin.namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    },
  })
}

/** The account of `render --rbac`, as a kubeconfig. */
async function makeDeployer(admin: Kube): Promise<object> {
  const { namespace } = admin
  const PATHS: Readonly<Record<string, string>> = {
    ServiceAccount: `/api/v1/namespaces/${namespace}/serviceaccounts`,
    Role: `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles`,
    RoleBinding: `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`,
  }
  for (const object of toDeployerAccess('linear', namespace))
    await admin.ask('POST', PATHS[object.kind] ?? '', { body: object })
  const answer = await admin.ask('POST', `${PATHS['ServiceAccount']}/linear-deployer/token`, {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
  })
  const status = isObject(answer) && isObject(answer['status']) ? answer['status'] : {}
  const cluster = admin.config.getCurrentCluster()
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'deployer',
    clusters: [
      {
        name: 'cluster',
        cluster: {
          server: admin.server,
          'certificate-authority-data': cluster?.caData,
          'certificate-authority': cluster?.caFile,
        },
      },
    ],
    users: [{ name: 'deployer', user: { token: status['token'] } }],
    contexts: [{ name: 'deployer', context: { cluster: 'cluster', user: 'deployer', namespace } }],
  }
}
