// Makes a fresh clone ready: installs the packages of the lock file and builds the bundles, each only when its
// inputs changed since the last time. Plain JavaScript that Node 20 runs.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bundles, fingerprint, isCurrent, packages, root } from './fingerprint.js'

const node = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')

checkPlatform()
once(packages, () =>
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'installing packages (once, about 600 MB)'),
)
if (process.env.REGATTA_READY !== 'install' && existsSync(join(root, 'tools', 'build.ts')))
  once(bundles, () => run(node, ['tools/build.ts'], 'building the bundles'))

function checkPlatform() {
  const major = Number(process.versions.node.split('.')[0])
  if (process.platform !== 'linux') stop(`regatta's repository runs on Linux, and this is ${process.platform}`)
  if (!['x64', 'arm64'].includes(process.arch)) stop(`regatta runs on x64 and arm64, and this is ${process.arch}`)
  if (major < 20) stop(`Node 20 or newer is needed to begin, and this is ${process.versions.node}`)
}

/** Runs `make` unless what it makes is there, of the inputs as they are. */
function once(made, make) {
  if (isCurrent(made)) return
  const wanted = fingerprint(made.inputs)
  make()
  mkdirSync(dirname(made.stamp), { recursive: true })
  writeFileSync(made.stamp, wanted)
}

function run(command, args, what) {
  console.error(`regatta: ${what} …`)
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip', ORT_DISABLE_TELEMETRY: '1' }
  // What an installer prints goes to stderr: stdout belongs to the command that asked for this.
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], env })
  if (status !== 0) stop(`${what} failed${error ? `: ${error.message}` : ''}; the lines above say why`)
}

function stop(text) {
  console.error(`regatta: ${text}`)
  process.exit(1)
}
