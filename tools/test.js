// Runs the unit tests (or the files given) on the repository's own Node and ends with one line that counts them:
// `N passed, N failed, N skipped`. Plain JavaScript that Node 20 runs.
import { spawn } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const node = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')
const UNIT_TESTS = [
  'src/**/*.test.ts',
  'tools/**/*.test.ts',
  'examples/**/*.test.ts',
  'bin/**/*.test.ts',
  'bench/**/*.test.ts',
]
const wanted = process.argv.slice(2)

const child = spawn(
  node,
  ['--test', '--test-timeout=300000', '--test-reporter=spec', ...(wanted.length > 0 ? wanted : UNIT_TESTS)],
  { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' } },
)
const counts = { pass: 0, fail: 0, cancelled: 0, skipped: 0 }
let tail = ''
child.stdout.on('data', chunk => {
  process.stdout.write(chunk)
  const lines = (tail + chunk.toString('utf8')).split('\n')
  tail = lines.pop() ?? ''
  for (const line of lines) {
    // The closing summary of the spec reporter; earlier lines of this form come from tests that print it themselves.
    const match = /^ℹ (pass|fail|cancelled|skipped) (\d+)$/.exec(line)
    if (match) counts[match[1]] = Number(match[2])
  }
})
child.on('close', code => {
  const failed = counts.fail + counts.cancelled
  console.log(`${counts.pass} passed, ${failed} failed, ${counts.skipped} skipped`)
  // What a person lacks at home is skipped with its reason; where everything has to be there, that is a failure.
  const lacking = process.env.CI !== undefined && counts.skipped > 0
  process.exit(code !== 0 || failed > 0 || lacking || counts.pass === 0 ? 1 : 0)
})
