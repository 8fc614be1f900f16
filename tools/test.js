// Runs the unit tests (or the files given) on the repository's own Node and ends with one line that counts them:
// `N passed, N failed, N skipped`. Plain JavaScript that Node 20 runs.
import { spawn } from 'node:child_process'
import { accessSync, constants, mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { bundles, isCurrent, root } from './fingerprint.js'

const node = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')
const UNIT_TESTS = [
  'src/**/*.test.ts',
  'tools/**/*.test.ts',
  'examples/**/*.test.ts',
  'bin/**/*.test.ts',
  'bench/**/*.test.ts',
]
const wanted = process.argv.slice(2)
const flags = [
  '--test-timeout=300000',
  // Much of a test is waiting; Node's own default leaves a core idle.
  `--test-concurrency=${Math.max(2, availableParallelism())}`,
  `--test-reporter=${join(root, 'tools', 'test-reporter.ts')}`,
]

const child = spawn(node, ['--test', ...flags, ...(wanted.length > 0 ? wanted : UNIT_TESTS)], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, ORT_DISABLE_TELEMETRY: '1', ...toCompileCache(), ...toBuilt() },
})
child.on('close', code => process.exit(code ?? 1))

/** Every file of tests is a process, and most of a short one is compiling: what was compiled once is kept. */
function toCompileCache() {
  const folder = join(root, 'node_modules', '.cache', 'compiled')
  if (process.env.NODE_COMPILE_CACHE !== undefined) return {}
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
    return { NODE_COMPILE_CACHE: folder }
  } catch {
    return {}
  }
}

/** Tests run `regatta` as it is published where the bundles are those of the sources: it starts ten times as fast. */
function toBuilt() {
  return isCurrent(bundles) ? { REGATTA_TEST_BUILT: '1' } : {}
}
