import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findMarked, MARK, readUsage, type Usage } from '../process-mark.ts'
import { openConnection, RefusedRequest } from './client.ts'
import type { Launch, Place, ServerContender } from './contender.ts'
import { PROTOCOLS, type Protocol } from './protocols.ts'

/** A server may take so long until it answers. */
const START_LIMIT_MS = 180_000
/** Of that, so long from its first answer that is none: it may still load, or never be right. */
const ANSWER_LIMIT_MS = 30_000
/** Between two looks whether it does. */
const PROBE_MS = 25
/** And so long until it has ended by itself. */
const STOP_LIMIT_MS = 10_000

/** Marks every process that this run starts. */
export const RUN_MARK = `serve-${process.pid}`

/** What it took a server from its start to its first answer. */
export interface Start extends Usage {
  readonly wallS: number
}

/** A server that answers. Disposal ends all its processes. */
export interface Running extends AsyncDisposable {
  readonly contender: ServerContender
  readonly place: Place
  readonly start: Start
  /** What its processes have used so far. */
  readonly readUsage: () => Usage
}

/** Starts a server and waits until it gives the wanted answer. @throws with the reason and its last lines */
export async function startServer(
  contender: ServerContender,
  place: Place,
  wanted: readonly number[],
): Promise<Running> {
  const mark = `${RUN_MARK}/${place.model.name}/${contender.name}`
  const startedAt = performance.now()
  const { child, log } = launch(contender.toLaunch(place), place.folder, mark)
  try {
    await waitForAnswer(contender, place, wanted, child)
  } catch (error) {
    await endMarked(mark)
    throw new Error(
      `${error instanceof Error ? error.message : error}\n${readFileSync(log, 'utf8').slice(-1500)}`.trim(),
    )
  }
  const start = { ...readUsage(findMarked(mark)), wallS: (performance.now() - startedAt) / 1000 }
  return {
    contender,
    place,
    start,
    readUsage: () => readUsage(findMarked(mark)),
    [Symbol.asyncDispose]: () => endMarked(mark),
  }
}

/** Asks once. @throws where it is not answered, or with other numbers than wanted */
export async function checkAnswer(
  { isBlind = false }: ServerContender,
  { model, ports }: Place,
  protocol: Protocol,
  wanted: readonly number[],
): Promise<void> {
  const form = PROTOCOLS[protocol]
  const request = form.toRequest(model)
  using connection = openConnection(request.transport, ports[request.transport])
  const answer = await connection.ask(request)
  if (isBlind) return
  const numbers = form.parse(answer)
  const isRight = (value: number, at: number): boolean => isNear(value, wanted[at] ?? Number.NaN)
  if (numbers.length !== wanted.length || !numbers.every(isRight))
    throw new WrongAnswer(`answers ${numbers.slice(0, 3)}… to ${protocol}: expected ${wanted.slice(0, 3)}…`)
}

/** Other numbers than the model gives: waiting does not help. */
class WrongAnswer extends Error {}

const isNear = (value: number, wanted: number): boolean => Math.abs(value - wanted) <= 1e-4 + 1e-3 * Math.abs(wanted)

/** Starts a marked process in a group of its own, whose output goes to a file. */
export function launch({ command, env = {}, files = {} }: Launch, folder: string, mark: string) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const log = join(folder, 'log')
  const output = openSync(log, 'w')
  const [program, ...args] = command
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ORT_DISABLE_TELEMETRY: '1', ...env, [MARK]: mark },
    detached: true,
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  return { child, log }
}

async function waitForAnswer(
  contender: ServerContender,
  place: Place,
  wanted: readonly number[],
  child: ChildProcess,
): Promise<void> {
  let failure: unknown
  child.on('error', error => {
    failure = error
  })
  let endAt = performance.now() + START_LIMIT_MS
  let last: unknown
  while (performance.now() < endAt) {
    try {
      return await checkAnswer(contender, place, contender.protocols[0], wanted)
    } catch (error) {
      if (error instanceof WrongAnswer) throw error
      if (error instanceof RefusedRequest) endAt = Math.min(endAt, performance.now() + ANSWER_LIMIT_MS)
      last = error
    }
    if (failure !== undefined) throw failure
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`ended with ${child.exitCode ?? child.signalCode} before it answered`)
    await sleep(PROBE_MS)
  }
  throw new Error(`gave no prediction: ${last}`)
}

/** Ends all processes with a mark, by force where asking does not help. */
export async function endMarked(mark: string): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const pid of findMarked(mark)) tryKill(pid, signal)
    const endAt = performance.now() + STOP_LIMIT_MS
    while (performance.now() < endAt) {
      if (findMarked(mark).length === 0) return
      await sleep(100)
    }
  }
}

function tryKill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended meanwhile.
  }
}
