import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** Brings up a cluster of one node; it needs root. */
const CLUSTER =
  process.env['REGATTA_TEST_CLUSTER'] ??
  join(resolve(import.meta.dirname, '..', '..'), '..', 'shared', 'kube', 'cluster')

/** Whether the environment names a cluster, and the registry that its nodes pull from. */
export function isGiven(): boolean {
  return process.env['KUBECONFIG'] !== undefined && process.env['REGATTA_TEST_REGISTRY'] !== undefined
}

/**
 * Runs a script in a cluster of its own, which lies beside the repository and goes again: its exit code, or why there is
 * no cluster. `prepare` is called first: the network of the cluster leads nowhere else.
 */
export async function runBeside(
  script: readonly string[],
  prepare: () => void = () => {},
): Promise<number | { readonly problem: string }> {
  const problem = findProblem()
  if (problem !== undefined) return { problem }
  prepare()
  for (const verb of ['install', 'up']) {
    const { status } = spawnSync(CLUSTER, [verb], { stdio: ['ignore', 'inherit', 'inherit'] })
    if (status !== 0) return { problem: `${CLUSTER} ${verb} ended with ${status}` }
  }
  try {
    const shell = ['exec', 'sh', '-c', 'REGATTA_TEST_REGISTRY=$REGISTRY exec "$@"', 'sh']
    return await runChild(CLUSTER, [...shell, process.execPath, ...script])
  } finally {
    spawnSync(CLUSTER, ['down'], { stdio: 'inherit' })
  }
}

function findProblem(): string | undefined {
  if (!existsSync(CLUSTER)) return 'KUBECONFIG and REGATTA_TEST_REGISTRY are not set, and no cluster can be brought up'
  return process.getuid?.() === 0 ? undefined : 'bringing up a cluster needs root; or set KUBECONFIG'
}

/** Runs a program to its end, with what it prints: its exit code. */
export function runChild(command: string, args: readonly string[], env = process.env): Promise<number> {
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env })
  return new Promise(done => child.on('close', code => done(code ?? 1)))
}
