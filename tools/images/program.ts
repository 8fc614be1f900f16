import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'

/** How a command ended and what it printed. */
export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Where a command runs, and how long. */
export interface RunOptions {
  /** @default this process's */
  readonly cwd?: string
  /** @default two minutes */
  readonly timeoutMs?: number
}

/** Runs a command to its end. */
export function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { cwd, timeoutMs = 120_000 }: RunOptions = {},
): Promise<Finished> {
  const options = { env: { ...process.env, ...env }, timeout: timeoutMs, maxBuffer: 64 << 20, ...(cwd && { cwd }) }
  return new Promise(done => {
    const child = execFile(command, args, options, (error, out, err) => {
      done({ code: error === null ? 0 : child.exitCode, out, err: err || (error?.message ?? '') })
    })
  })
}

/** The same for a command that must succeed: its output, without the last line break. */
export async function runWell(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { code, err, out } = await run(command, args, env)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${err}${out}`)
  return out.trimEnd()
}

/** A program that runs until it is stopped. */
export interface Program extends AsyncDisposable {
  readonly pid: number
  /** What matched: the line that told that it is ready. */
  readonly ready: RegExpExecArray
  /** All that it printed, at most its last 64 KiB. */
  output(): string
  /** Its exit code, once it has one; null where a signal ended it. */
  readonly ended: Promise<number | null>
  /** Ends it; killed after ten seconds. */
  stop(): Promise<void>
}

/** Starts a program and waits, at most a minute, until it prints what `ready` matches. It ends with this process. */
export async function startProgram(
  command: string,
  args: readonly string[],
  ready: RegExp,
  env: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-65_536)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const ended = new Promise<number | null>(done => child.on('close', done))
  const stop = (): Promise<void> => stopChild(child)
  try {
    const match = await waitFor(() => {
      if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}: ${output}`)
      return ready.exec(output) ?? undefined
    }, `${command} to print ${ready}`)
    return { pid: child.pid ?? 0, ready: match, output: () => output, ended, stop, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw new Error(`${error instanceof Error ? error.message : error}: ${output}`, { cause: error })
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const killer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await ended
  clearTimeout(killer)
}

/** Asks again and again, at most a minute, until there is an answer. */
export async function waitFor<answer>(
  ask: () => Promise<answer | undefined> | answer | undefined,
  what: string,
): Promise<answer> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > deadline) throw new Error(`Waited a minute for ${what}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
