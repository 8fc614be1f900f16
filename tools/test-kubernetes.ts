// Deploys to a real cluster: `node tools/test-kubernetes.ts [FILE …]`. Takes the cluster of KUBECONFIG, whose nodes pull
// from the registry of REGATTA_TEST_REGISTRY; where they are not set, a cluster that lies beside the repository is
// brought up for the tests and taken down again. Without either, all is skipped with the reason, or fails with CI set.
// Ends with `N passed, N failed, N skipped`.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { makeEnvironment } from '../examples/forecast/testing/python.ts'
import { aptInstall } from './images/apt.ts'

const ROOT = resolve(import.meta.dirname, '..')
/** Brings up a cluster of one node; it needs root. */
const CLUSTER = process.env['REGATTA_TEST_CLUSTER'] ?? join(ROOT, '..', 'shared', 'kube', 'cluster')
const FOLDER = join(import.meta.dirname, 'kubernetes')
/** The whole must not take longer. */
const LIMIT_MS = 11 * 60_000

const wanted = process.argv.slice(2).map(path => resolve(path))
const { KUBECONFIG, REGATTA_TEST_REGISTRY: registry } = process.env
process.exitCode = KUBECONFIG !== undefined && registry !== undefined ? await runSuites(process.env) : await runBeside()

/** Runs the suites in a cluster of their own. */
async function runBeside(): Promise<number> {
  const problem = findProblem()
  if (problem !== undefined) return giveUp(problem)
  // The network of the cluster leads nowhere else.
  installClients()
  for (const verb of ['install', 'up']) {
    const { status } = spawnSync(CLUSTER, [verb], { stdio: ['ignore', 'inherit', 'inherit'] })
    if (status !== 0) return giveUp(`${CLUSTER} ${verb} ended with ${status}`)
  }
  try {
    const script = 'REGATTA_TEST_REGISTRY=$REGISTRY exec "$@"'
    return await run(CLUSTER, ['exec', 'sh', '-c', script, 'sh', process.execPath, import.meta.filename, ...wanted])
  } finally {
    spawnSync(CLUSTER, ['down'], { stdio: 'inherit' })
  }
}

/** TensorFlow Serving's own client, and a shell for an image. */
function installClients(): void {
  const requirements = join(ROOT, 'conformance', 'requirements.txt')
  const bare = join(ROOT, 'conformance', 'requirements-bare.txt')
  makeEnvironment(join(ROOT, '.venv', 'conformance'), requirements, { bare })
  if (existsSync('/bin/busybox')) return
  const installed = aptInstall(['busybox-static'])
  if ('problem' in installed) throw new Error(installed.problem)
}

function findProblem(): string | undefined {
  if (!existsSync(CLUSTER)) return 'KUBECONFIG and REGATTA_TEST_REGISTRY are not set, and no cluster can be brought up'
  return process.getuid?.() === 0 ? undefined : 'bringing up a cluster needs root; or set KUBECONFIG'
}

/** Says why nothing was tested; where everything has to be there, that is a failure. */
function giveUp(problem: string): number {
  const isFailure = process.env['CI'] !== undefined
  console.log(`✖ cannot test on Kubernetes: ${problem}`)
  console.log(isFailure ? '0 passed, 1 failed, 0 skipped' : '0 passed, 0 failed, 1 skipped')
  return isFailure ? 1 : 0
}

async function runSuites(env: NodeJS.ProcessEnv): Promise<number> {
  installClients()
  const files = readdirSync(FOLDER).filter(name => name.endsWith('.suite.ts'))
  const suites = wanted.length > 0 ? wanted : files.sort().map(name => join(FOLDER, name))
  const flags = ['--test-concurrency=1', `--test-timeout=${LIMIT_MS}`]
  return await run(process.execPath, [join(import.meta.dirname, 'test.js'), ...flags, ...suites], env)
}

function run(command: string, args: readonly string[], env = process.env): Promise<number> {
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env })
  return new Promise(done => child.on('close', code => done(code ?? 1)))
}
