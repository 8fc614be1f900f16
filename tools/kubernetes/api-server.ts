import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Where the cluster that lies beside the repository keeps the numbers of its processes. */
const FOLDER = join(process.env['CLUSTER_HOME'] ?? '/var/tmp/kube-e2e', 'run')

/** Why the API server of this cluster cannot be restarted; undefined where it can. */
export function findRestartProblem(): string | undefined {
  return existsSync(join(FOLDER, 'kube-apiserver.pid'))
    ? undefined
    : 'the API server of this cluster is not ours to kill'
}

/** Kills the API server and starts it again after a while, with the same command line, in the same namespaces. */
export async function restartApiServer(awayMs: number): Promise<void> {
  const [server, box] = ['kube-apiserver', 'box'].map(name => Number(readFileSync(join(FOLDER, `${name}.pid`), 'utf8')))
  const command = readFileSync(`/proc/${server}/cmdline`, 'utf8').split('\0').slice(0, -1)
  process.kill(server ?? 0, 'SIGKILL')
  await sleep(awayMs)
  // It ends with the box, whose first process it is a child of.
  const flags = ['-t', `${box}`, '-m', '-n', '-p', '-i', '-u', '--']
  spawn('nsenter', [...flags, ...command], { stdio: 'ignore', detached: true }).unref()
}
