// Deploys to a real cluster: `node tools/test-kubernetes.ts [FILE …]`. Takes the cluster of KUBECONFIG, whose nodes pull
// from the registry of REGATTA_TEST_REGISTRY; where they are not set, a cluster that lies beside the repository is
// brought up for the tests and taken down again. Without either, all is skipped with the reason, or fails with CI set.
// Ends with `N passed, N failed, N skipped`.
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { makeEnvironment } from '../examples/forecast/testing/python.ts'
import { aptInstall } from './images/apt.ts'
import { isGiven, runBeside, runChild } from './kubernetes/beside.ts'
import { ensurePrograms } from './postgres/programs.ts'

const ROOT = resolve(import.meta.dirname, '..')
const FOLDER = join(import.meta.dirname, 'kubernetes')
/** The whole must not take longer. */
const LIMIT_MS = 11 * 60_000

const wanted = process.argv.slice(2).map(path => resolve(path))
process.exitCode = isGiven() ? await runSuites() : await runInOwn()

async function runInOwn(): Promise<number> {
  const end = await runBeside([import.meta.filename, ...wanted], installClients)
  return typeof end === 'number' ? end : giveUp(end.problem)
}

/** TensorFlow Serving's own client, a shell for an image, and a database. */
function installClients(): void {
  const requirements = join(ROOT, 'conformance', 'requirements.txt')
  const bare = join(ROOT, 'conformance', 'requirements-bare.txt')
  makeEnvironment(join(ROOT, '.venv', 'conformance'), requirements, { bare })
  const programs = ensurePrograms()
  if ('problem' in programs) throw new Error(programs.problem)
  if (existsSync('/bin/busybox')) return
  const installed = aptInstall(['busybox-static'])
  if ('problem' in installed) throw new Error(installed.problem)
}

/** Says why nothing was tested; where everything has to be there, that is a failure. */
function giveUp(problem: string): number {
  const isFailure = process.env['CI'] !== undefined
  console.log(`✖ cannot test on Kubernetes: ${problem}`)
  console.log(isFailure ? '0 passed, 1 failed, 0 skipped' : '0 passed, 0 failed, 1 skipped')
  return isFailure ? 1 : 0
}

async function runSuites(): Promise<number> {
  installClients()
  const files = readdirSync(FOLDER).filter(name => name.endsWith('.suite.ts'))
  const suites = wanted.length > 0 ? wanted : files.sort().map(name => join(FOLDER, name))
  const flags = ['--test-concurrency=1', `--test-timeout=${LIMIT_MS}`]
  return await runChild(process.execPath, [join(import.meta.dirname, 'test.js'), ...flags, ...suites])
}
