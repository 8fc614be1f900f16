import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { type StatePaths, toStartDigest } from '../config/index.ts'
import { startLocalControl } from '../control/index.ts'
import { CONTROL_NODE_FLAGS } from '../core/control-memory.ts'
import { RegattaError, toErrorText } from '../core/errors.ts'
import { readFileIfAny } from '../core/files.node.ts'
import { takeFileLock } from '../core/lock.node.ts'
import { isRunning } from '../core/process.node.ts'
import { readUpRecord, type UpRecord } from '../core/up-record.node.ts'
import { cleanLeftovers } from '../deploy/index.ts'
import { readOrMakeToken } from './token.node.ts'
import type { Call } from './verb.ts'
import type { Workplace } from './workplace.node.ts'

/**
 * Runs control and the supervisor of the local target until the signal aborts, then stops every process.
 * `onUp` is told once control listens. @throws UP_RUNNING, PORT_IN_USE, and what the store and the target throw
 */
export async function runUp(call: Call, workplace: Workplace, onUp: (record: UpRecord) => void): Promise<void> {
  const { layout, paths, project } = workplace
  const lock = await takeFileLock(paths.upLock)
  if (lock === undefined) {
    const running = await readUpRecord(paths.upRecord)
    throw new RegattaError(
      'UP_RUNNING',
      `regatta already runs in this project${running === undefined ? '' : ` (process ${running.process.pid})`}`,
      {
        where: project.folder,
        fix: 'Use it as it runs, or stop it first: regatta down',
      },
    )
  }
  await using _lock = lock
  for (const line of await cleanLeftovers(paths.local)) call.err(`cleaned up after an earlier regatta: ${line}\n`)
  const { server, gateway } = call.installation
  await using control = await startLocalControl(
    {
      ...{ project, paths, layout, clock: call.clock, commands: { server, gateway } },
      databaseUrl: call.env['DATABASE_URL'] || undefined,
      adminToken: await readOrMakeToken(paths.token),
      env: call.env,
      logger: pino({ level: call.env['REGATTA_LOG_LEVEL'] ?? 'info' }, pino.destination(2)),
    },
    call.signal,
  )
  onUp(control.record)
  await untilAborted(call.signal)
}

const OTHER_CONFIGURATION =
  'regatta runs by the regatta.yaml (and REGATTA_ variables) of its start, which are others now: ' +
  'regatta down, then regatta up -d takes them up\n'

/**
 * Makes sure that `up` runs: returns its record, starting it detached where it does not run.
 * @throws UP_FAILED with the last lines of its log
 */
export async function ensureUp(
  call: Call,
  workplace: Workplace,
  timeoutMs = 30_000,
): Promise<UpRecord & { readonly started: boolean }> {
  const { paths, project } = workplace
  const running = await readUpRecord(paths.upRecord)
  if (running !== undefined) {
    const { startedWith } = running
    if (startedWith !== undefined && startedWith !== toStartDigest(project)) call.err(OTHER_CONFIGURATION)
    return { ...running, started: false }
  }
  mkdirSync(dirname(paths.upLog), { recursive: true })
  const log = openSync(paths.upLog, 'a')
  const [command = '', ...prefix] = call.installation.regatta
  const child = spawn(command, [...CONTROL_NODE_FLAGS, ...prefix, 'up', '--cwd', project.folder], {
    cwd: project.folder,
    detached: true,
    env: call.env,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  let exit: number | null | undefined
  child.once('exit', code => {
    exit = code
  })
  child.once('error', () => {
    exit = null
  })
  const deadline = call.clock() + timeoutMs
  while (exit === undefined && call.clock() < deadline) {
    const record = await readUpRecord(paths.upRecord)
    if (record !== undefined) {
      child.unref()
      return { ...record, started: true }
    }
    await sleep(50, undefined, { signal: call.signal })
  }
  if (exit === undefined) child.kill('SIGTERM')
  throw await toUpError(paths.upLog, exit)
}

/** Stops a running `up` and waits for it; cleans what a crashed one left. Returns what was done, a line each. */
export async function stopUp(call: Call, workplace: Workplace, timeoutMs = 30_000): Promise<readonly string[]> {
  const { paths } = workplace
  const lines: string[] = []
  const record = await findUp(paths, call.clock() + timeoutMs, call)
  if (record !== undefined) {
    process.kill(record.process.pid, 'SIGTERM')
    const deadline = call.clock() + timeoutMs
    while (isRunning(record.process)) {
      if (call.clock() > deadline) process.kill(record.process.pid, 'SIGKILL')
      await sleep(50, undefined, { signal: call.signal })
    }
    lines.push(`stopped regatta (process ${record.process.pid})`)
  }
  lines.push(...(await cleanLeftovers(paths.local)))
  await rm(paths.upRecord, { force: true })
  return lines
}

/** The record of the `up` that runs; one that is only just starting has none yet, and is waited for. */
async function findUp(paths: StatePaths, deadline: number, { clock, signal }: Call): Promise<UpRecord | undefined> {
  for (;;) {
    const record = await readUpRecord(paths.upRecord)
    if (record !== undefined || !existsSync(paths.upLock)) return record
    const lock = await takeFileLock(paths.upLock)
    await lock?.[Symbol.asyncDispose]()
    if (lock !== undefined || clock() > deadline) return undefined
    await sleep(50, undefined, { signal })
  }
}

async function toUpError(logPath: string, exit: number | null | undefined): Promise<RegattaError> {
  const log = (await readFileIfAny(logPath).catch(toErrorText)) ?? ''
  const said = /error\[([A-Z_]+)\] (.*)(?:\n {2}because: .*)?(?:\n {2}try: (.*))?/.exec(
    log
      .slice(-4096)
      .split(/(?=error\[)/)
      .at(-1) ?? '',
  )
  const how = exit === undefined ? 'did not come up in time' : `ended with exit code ${exit}`
  return new RegattaError(
    said?.[1] ?? 'UP_FAILED',
    said?.[2] ?? `regatta up ${how}: ${log.trim().split('\n').slice(-5).join('\n')}`,
    {
      ...(said === null ? { where: logPath } : {}),
      fix: said?.[3] ?? 'Run "regatta up" in the foreground to see why',
    },
  )
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
