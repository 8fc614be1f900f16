import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Finished, makePlace, type Place } from '../../bin/testing/place.ts'
import { isObject } from '../../src/core/json.ts'
import { type Kube, openKube, toDeployerAccess } from '../../src/deploy/index.ts'
import { toLinearModel } from '../../src/train/testing/onnx-model.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
/** What `tools/test-kubernetes.ts` found. */
const REGISTRY = process.env['REGATTA_TEST_REGISTRY'] ?? ''

/** A namespace of its own with a project that is deployed there, as somebody who may do no more than they must. */
export interface Harbour extends AsyncDisposable {
  readonly place: Place
  /** With all rights, for what the test does to the cluster. */
  readonly admin: Kube
  readonly namespace: string
  /** Runs `regatta … --json` with the deployer's rights: the document on stdout. */
  regatta<document>(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<document>
  /** Runs it to any end. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): ReturnType<Place['run']>
  /** Makes the next version: a model whose answer is `weight` times what it is given. */
  pack(weight: number): Promise<Packed>
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
  /** Lines below `serve:`. */
  readonly serve?: string
  /** Lines below `targets: kubernetes:`. */
  readonly kubernetes?: string
  readonly image?: string
}

/** The project of the tests. */
export function toProject(
  namespace: string,
  { replicas = 1, serve, kubernetes = '', image = '' }: ProjectOptions,
): string {
  const served = serve ?? 'resources: { requests: { cpu: 20m, memory: 96Mi }, limits: { memory: 256Mi } }'
  return `name: linear
train: { run: cp model.onnx "$REGATTA_OUTPUT/model.onnx" }
image:
  repository: ${REGISTRY}/${namespace}/linear
  ${image}
serve:
  replicas: ${replicas}
  ${served}
race: { prediction: '[0]' }
targets:
  kubernetes:
    namespace: ${namespace}
    ${kubernetes.includes('storage:') ? '' : 'storage: { ephemeral: true }'}
    ${kubernetes}
`
}

/** Makes a namespace of the level `restricted`, the rights to deploy there, and a project; disposing removes all. */
export async function openHarbour(options: ProjectOptions = {}): Promise<Harbour> {
  const namespace = `regatta-${process.pid}-${Math.floor(performance.now())}`
  const admin = await openKube({ context: undefined, namespace })
  await makeNamespace(admin)
  const place = makePlace(toProject(namespace, options))
  const kubeconfig = join(place.folder, 'kubeconfig.json')
  writeFileSync(kubeconfig, JSON.stringify(await makeDeployer(admin)))
  const base = { KUBECONFIG: kubeconfig, REGATTA_TARGET: 'kubernetes' }
  const configure = (next: ProjectOptions): void =>
    writeFileSync(join(place.folder, 'regatta.yaml'), toProject(namespace, next))
  configure(options)
  const run: Harbour['run'] = (args, env = {}) => runBuilt(place.folder, args, { ...base, ...env })
  const regatta = async <document>(args: readonly string[], env = {}): Promise<document> => {
    const { code, out, err } = await run([...args, '--json'], env)
    if (code !== 0) throw new Error(`regatta ${args.join(' ')} ended with ${code}: ${out}${err}`)
    return JSON.parse(out) as document
  }
  return {
    place,
    admin,
    namespace,
    run,
    regatta,
    configure,
    async pack(weight) {
      writeFileSync(join(place.folder, 'model.onnx'), toLinearModel({ weight }))
      await regatta(['train'])
      const packed = await regatta<Packed>(['pack'])
      await regatta(['push'])
      return packed
    },
    async [Symbol.asyncDispose]() {
      await admin.ask('DELETE', `/api/v1/namespaces/${namespace}`)
      await place[Symbol.asyncDispose]()
    },
  }
}

/** Runs the command as it is published: it starts faster than the sources. */
async function runBuilt(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Finished> {
  const options = { cwd, env: { ...process.env, NO_COLOR: '1', ...env }, timeout: 240_000 }
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'regatta.js'), ...args], options)
  child.stdin.end()
  const ended = new Promise<number | null>(done => child.on('close', done))
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await ended, out, err }
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
