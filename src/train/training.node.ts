import { randomBytes } from 'node:crypto'
import { arch, availableParallelism, platform } from 'node:os'
import { resolve } from 'node:path'
import type { Environment, Project, TrainConfig } from '../config/index.ts'
import type { Clock } from '../core/clock.ts'
import { UsageError } from '../core/errors.ts'
import type { ImageLayout } from '../oci/index.ts'
import { toChildEnvironment } from './child-environment.ts'
import { claimRun, settle } from './claim.node.ts'
import { type CommandEnd, type CommandOptions, runCommand } from './command.node.ts'
import { readDataDigests } from './data.node.ts'
import { type Problem, toEndProblem } from './end.ts'
import type { TrainingEvent } from './events.ts'
import { readGit } from './git.node.ts'
import { MetricLog, parseMetricLine } from './metrics.ts'
import { type Left, readMark, takeOutput } from './output.node.ts'
import { overrideParams, type Params } from './params.ts'
import { type RunPaths, toRunPaths } from './paths.ts'
import type { RunRecord, RunStart, StoredRun } from './record.ts'
import { RunLog } from './run-log.node.ts'
import { putRun } from './run-store.node.ts'

/** What to train, and who hears of it. */
export interface TrainingOptions {
  readonly project: Project
  /** Values in place of those of train.params. */
  readonly set: Params
  readonly layout: ImageLayout
  readonly clock: Clock
  readonly env: Environment
  /** Absolute path of the Node that runs regatta: the command's `node`. */
  readonly node: string
  readonly onEvent: (event: TrainingEvent) => void
  /** Time between SIGTERM and SIGKILL where the training is stopped, ms. @default 10 000 */
  readonly graceMs?: number
}

const GRACE_MS = 10_000

/**
 * Runs the training command of a project once and keeps the run, whatever comes of it: `done` with its model's
 * files in `.regatta/runs/ID/output`, `failed`, or `interrupted` where `signal` stopped it.
 *
 * @throws TRAIN_COMMAND, PARAM_UNKNOWN, PARAM_VALUE, TRAIN_DATA (UsageErrors, before anything ran), DISK_FULL
 */
export async function runTraining(options: TrainingOptions, signal: AbortSignal): Promise<StoredRun> {
  const { clock, layout, onEvent, project } = options
  const config = requireTrain(project)
  const { notes, start } = await readStart(options, config, signal)
  const paths = toRunPaths(project.folder, start.id)
  await using _lock = await claimRun(paths, start, options.node)
  onEvent({ kind: 'started', run: start })
  const usual = resolve(project.folder, config.output)
  const usualMark = await readMark(usual)
  const supervised = await supervise(options, start, paths, signal)
  const left = supervised.problem ?? (await takeOutput({ own: paths.output, usual, usualMark }))
  const record = toRecord({ start, supervised, left, notes, endedAt: clock() })
  const stored = { ...(await putRun(layout, record)), outputFolder: paths.output }
  await settle(paths)
  onEvent({ kind: 'finished', run: stored })
  return stored
}

function requireTrain(project: Project): TrainConfig {
  if (project.train !== undefined) return project.train
  throw new UsageError('TRAIN_COMMAND', 'Cannot train: regatta.yaml names no training command', {
    where: project.folder,
    fix: 'Add for example:  train: { run: python train.py }',
  })
}

async function readStart(
  { clock, env, project, set }: TrainingOptions,
  config: TrainConfig,
  signal: AbortSignal,
): Promise<{ readonly start: RunStart; readonly notes: readonly string[] }> {
  signal.throwIfAborted()
  const params = overrideParams(config.params, set)
  const data = await readDataDigests(project.folder, config.data, signal)
  const { git, note } = await readGit(project.folder, env, signal)
  const start: RunStart = {
    id: randomBytes(16).toString('hex'),
    model: project.name,
    command: config.run,
    params,
    data,
    git,
    environment: {
      platform: platform(),
      arch: arch(),
      node: process.versions.node,
      cpus: availableParallelism(),
    },
    startedAt: clock(),
  }
  return { start, notes: note === undefined ? [] : [note] }
}

/** How the command ended and what it said; `problem` is why its output is not even looked at. */
interface Supervised {
  readonly end: CommandEnd | undefined
  readonly problem: Problem | undefined
  readonly metrics: RunRecord['metrics']
  readonly logTail: readonly string[]
  readonly notes: readonly string[]
}

async function supervise(
  { clock, env, graceMs = GRACE_MS, onEvent, project }: TrainingOptions,
  { command, id, params }: RunStart,
  { bin, log: logPath, output }: RunPaths,
  signal: AbortSignal,
): Promise<Supervised> {
  using log = new RunLog(logPath)
  const metrics = new MetricLog()
  const listen = toListener(metrics, clock, onEvent)
  const commandOptions: CommandOptions = {
    command,
    cwd: project.folder,
    env: toChildEnvironment(env, { id, params, output, bin }),
    graceMs,
    onLines(stream, lines) {
      log.append(lines)
      for (const line of lines) listen(stream, line)
    },
  }
  const ended = await runCommand(commandOptions, signal)
  return {
    end: 'exitCode' in ended ? ended : undefined,
    problem: toEndProblem(ended),
    metrics: metrics.toRecord(),
    logTail: log.tail,
    notes: [...log.toNotes(), ...metrics.toNotes()],
  }
}

/** Tells metrics from other lines. A line with NaN is shown too, the first time. */
function toListener(
  metrics: MetricLog,
  clock: Clock,
  onEvent: (event: TrainingEvent) => void,
): (stream: 'stdout' | 'stderr', line: string) => void {
  let toldNotFinite = false
  return (stream, line) => {
    const found = stream === 'stdout' ? parseMetricLine(line) : undefined
    if (found === undefined) return onEvent({ kind: 'output', stream, line })
    const step = metrics.add(found, clock())
    if (Object.keys(found.values).length > 0) onEvent({ kind: 'metric', step, values: found.values })
    if (found.notFinite.length === 0 || toldNotFinite) return
    toldNotFinite = true
    onEvent({ kind: 'output', stream, line })
  }
}

interface Known {
  readonly start: RunStart
  readonly supervised: Supervised
  readonly left: Left
  readonly notes: readonly string[]
  readonly endedAt: number
}

function toRecord({ endedAt, left, notes, start, supervised }: Known): RunRecord {
  const { end, logTail, metrics } = supervised
  const done = 'files' in left
  const state = done ? 'done' : left.code === 'RUN_STOPPED' ? 'interrupted' : 'failed'
  return {
    schema: 'regatta/run/v1',
    ...start,
    state,
    code: done ? null : left.code,
    reason: done ? null : left.reason,
    metrics,
    output: done ? left.files : [],
    signature: done ? left.signature : null,
    exitCode: end?.exitCode ?? null,
    signal: end?.signal ?? null,
    endedAt: Math.max(endedAt, start.startedAt),
    logTail: done ? [] : logTail,
    notes: [...notes, ...supervised.notes],
  }
}
