// Makes a fresh clone ready: installs the packages of the lock file and builds the bundles, each only when its
// inputs changed since the last time. Plain JavaScript that Node 20 runs.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const node = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')

checkPlatform()
once(
  ['package.json', 'package-lock.json', 'tools/node/package.json'],
  join(root, 'node_modules', '.regatta-installed'),
  () => run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'installing packages (once, about 600 MB)'),
)
if (process.env.REGATTA_READY !== 'install' && existsSync(join(root, 'tools', 'build.ts'))) {
  once(['package-lock.json', 'src', 'bin', 'tools/build.ts'], join(root, 'dist', '.regatta-built'), () =>
    run(node, ['tools/build.ts'], 'building the bundles'),
  )
}

function checkPlatform() {
  const major = Number(process.versions.node.split('.')[0])
  if (process.platform !== 'linux') stop(`regatta's repository runs on Linux, and this is ${process.platform}`)
  if (!['x64', 'arm64'].includes(process.arch)) stop(`regatta runs on x64 and arm64, and this is ${process.arch}`)
  if (major < 20) stop(`Node 20 or newer is needed to begin, and this is ${process.versions.node}`)
}

/** Runs `make` unless `stamp` holds the fingerprint of the inputs already. */
function once(inputs, stamp, make) {
  const wanted = fingerprint(inputs)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  make()
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, wanted)
}

function fingerprint(inputs) {
  const hash = createHash('sha256')
  for (const input of inputs.flatMap(listFiles))
    hash
      .update(input)
      .update('\0')
      .update(readFileSync(join(root, input)))
      .update('\0')
  return hash.digest('hex')
}

function listFiles(path) {
  const full = join(root, path)
  if (!existsSync(full)) return []
  if (!statSync(full).isDirectory()) return [path]
  return readdirSync(full)
    .sort()
    .flatMap(name => listFiles(join(path, name)))
    .filter(name => !name.endsWith('.test.ts'))
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
