import { spawnSync } from 'node:child_process'

/** What a command printed, or why it did not do its work. */
export type Attempt = { readonly done: string } | { readonly problem: string }

/** Building a program of many packages on a busy machine takes this long, and fetching them. */
const LIMIT_MS = 15 * 60_000

/** Runs a command to its end, at most a quarter of an hour; its output is the result. */
export function attempt(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Attempt {
  const { error, status, stderr, stdout } = spawnSync(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 << 20,
    timeout: LIMIT_MS,
  })
  if (status === 0) return { done: stdout.trim() }
  const last = `${stderr}`.trim().split('\n').slice(-5).join('\n')
  return { problem: `${command} ${args[0] ?? ''} failed: ${error?.message ?? `exit ${status}`}\n${last}`.trim() }
}
