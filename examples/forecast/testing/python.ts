// The Python that a trainer needs: a virtual environment with its pinned packages.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const MINUTE_MS = 60_000
/** What TensorFlow 2.21 and PyTorch 2.15 run on. */
const WANTED = 'Python 3.10 to 3.13 with venv and pip'
const PROBE = 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))'

/**
 * Returns the Python of a virtual environment in `folder` that holds the packages of a requirements file, and those of
 * `bare`, where given, without what they depend on. It is made anew when those change or an installation was broken off.
 * `system` is the Python that it is made with. @throws saying what is missing, or the last lines of pip
 */
export function makeEnvironment(
  folder: string,
  requirements: string,
  { bare, system = findPython() }: { readonly bare?: string; readonly system?: string } = {},
): string {
  const files = bare === undefined ? [requirements] : [requirements, bare]
  const python = join(folder, 'bin', 'python')
  const stamp = join(folder, '.regatta-installed')
  const hash = createHash('sha256').update(run([system, '--version']))
  for (const file of files) hash.update(readFileSync(file))
  const wanted = hash.digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python
  console.log(`installing ${requirements} in ${folder} …`)
  rmSync(folder, { recursive: true, force: true })
  run([system, '-m', 'venv', folder])
  const pip = [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
  run([...pip, '--requirement', requirements])
  if (bare !== undefined) run([...pip, '--no-deps', '--requirement', bare])
  writeFileSync(stamp, wanted)
  return python
}

/** The first Python that will do. On a build machine (CI is set, user root, apt-get there) a missing one is installed. */
function findPython(): string {
  const find = (): string | undefined =>
    ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'].find(
      name => spawnSync(name, ['-c', PROBE]).status === 0,
    )
  const found = find()
  if (found !== undefined) return found
  if (process.env['CI'] !== undefined && process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0) {
    console.log('installing python3-venv with apt-get …')
    run(['apt-get', 'update', '-qq'])
    run(['apt-get', 'install', '-qq', '--yes', '--no-install-recommends', 'python3', 'python3-venv'])
    const installed = find()
    if (installed !== undefined) return installed
  }
  throw new Error(`Cannot find ${WANTED}: install it (Debian and Ubuntu: apt-get install python3 python3-venv)`)
}

/** Runs a command to its end and returns what it printed. @throws with its last lines */
function run([command = '', ...args]: readonly string[]): string {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { error, signal, status, stderr, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    env,
    maxBuffer: 1e8,
    timeout: 20 * MINUTE_MS,
  })
  if (status === 0) return stdout
  const tail = `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n').slice(-20).join('\n')
  const end = error?.message ?? (signal === null ? `exit code ${status}` : signal)
  throw new Error(`${command} ${args.join(' ')} failed (${end})\n${tail}`)
}
