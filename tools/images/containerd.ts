import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toPath } from './parts.ts'
import { type Program, runWell, startProgram } from './program.ts'

/** A containerd of its own, beside any that the machine has. */
export interface Containerd extends Program {
  /** Runs `ctr` on it to its end; what it printed. */
  ctr(...args: readonly string[]): Promise<string>
  /** Pulls an image from a registry on this machine and unpacks it. */
  pull(image: string): Promise<void>
  /** Runs a pulled image on a read-only root, in a network of its own that has a loopback address alone. */
  run(image: string, name: string, ready: RegExp): Promise<Container>
}

/** A container that runs; disposing kills and removes it. */
export interface Container extends AsyncDisposable {
  /** Of its first process, as this machine counts. */
  readonly pid: number
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** What it printed. */
  output(): string
  /** Its exit code, once it has one. */
  readonly ended: Promise<number | null>
}

/** Starts containerd with all its files in a folder. */
export async function startContainerd(folder: string): Promise<Containerd> {
  mkdirSync(folder, { recursive: true })
  const [config, socket] = [join(folder, 'config.toml'), join(folder, 'c.sock')]
  writeFileSync(
    config,
    `version = 2
root = "${folder}/root"
state = "${folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "${socket}"
[ttrpc]
address = "${socket}.ttrpc"
`,
  )
  const program = await startProgram(toPath('containerd'), ['--config', config], /containerd successfully booted/)
  const address = ['--address', socket]
  const ctr: Containerd['ctr'] = (...args) => runWell(toPath('ctr'), [...address, ...args])
  const plugins = await ctr('plugins', 'ls')
  // Some file systems carry no overlay.
  const snapshotter = ['--snapshotter', /\boverlayfs\b.*\bok\b/.test(plugins) ? 'overlayfs' : 'native']
  return {
    ...program,
    ctr,
    async pull(image) {
      await ctr('images', 'pull', '--plain-http', ...snapshotter, image)
    },
    async run(image, name, ready) {
      const args = [...address, 'run', '--read-only', ...snapshotter, image, name]
      try {
        const client = await startProgram(toPath('ctr'), args, ready)
        return toContainer(ctr, name, client, await readPid(ctr, name))
      } catch (error) {
        await remove(ctr, name)
        throw error
      }
    },
  }
}

function toContainer(ctr: Containerd['ctr'], name: string, client: Program, pid: number): Container {
  return {
    pid,
    async kill(signal) {
      await ctr('tasks', 'kill', '--signal', signal, name)
    },
    output: client.output,
    ended: client.ended,
    async [Symbol.asyncDispose]() {
      await remove(ctr, name)
      await client.stop()
    },
  }
}

async function readPid(ctr: Containerd['ctr'], name: string): Promise<number> {
  const tasks = await ctr('tasks', 'ls')
  const pid = new RegExp(`^${name}\\s+(\\d+)\\s+RUNNING`, 'm').exec(tasks)?.[1]
  if (pid === undefined) throw new Error(`Container ${name} does not run: ${tasks}`)
  return Number(pid)
}

/** Removes a container, running or not. */
async function remove(ctr: Containerd['ctr'], name: string): Promise<void> {
  if ((await ctr('tasks', 'ls', '--quiet')).split('\n').includes(name)) await ctr('tasks', 'rm', '--force', name)
  if ((await ctr('containers', 'ls', '--quiet')).split('\n').includes(name)) await ctr('containers', 'rm', name)
}
