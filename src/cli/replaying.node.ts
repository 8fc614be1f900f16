import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { PROJECT_FILE, type RaceConfig, readProjectFile } from '../config/index.ts'
import { toRaceSpec, toSpecDigest } from '../control/index.ts'
import { toErrorText, UsageError } from '../core/errors.ts'
import { parseOutcomeRow, Replay, type ReplayLine, toReplayLine } from '../judge/index.ts'
import { EXIT } from './errors.ts'
import { emptyTrack, type Track, toReplaySvg, track } from './replay-picture.ts'
import { readRows } from './replay-rows.node.ts'
import { toReplayLines, toReplayRow } from './replay-view.ts'
import type { Call } from './verb.ts'

/** What a replay is asked for. */
export interface ReplayRequest {
  /** A file with one outcome per line, a .csv or a .parquet, or - for stdin. */
  readonly from: string
  /** A regatta.yaml; undefined: that of the working folder. */
  readonly config: string | undefined
  /** Labels from one printed line to the next; undefined: the end alone. */
  readonly every: number | undefined
  /** File that a picture of the race is written to. */
  readonly svg: string | undefined
}

/**
 * Runs the race over a file of outcomes and prints what it would have said. Returns the exit code.
 * @throws REPLAY_FILE, OUTCOME_ROW and its like (UsageErrors that name the line), CONFIG
 */
export async function replayRace(call: Call, request: ReplayRequest): Promise<number> {
  const { race } = await readProjectFile(resolve(call.cwd, request.config ?? PROJECT_FILE), call.env)
  const { every = Number.POSITIVE_INFINITY } = request
  const replay = new Replay({ ...race, spec: toSpecDigest(toRaceSpec({ race }, race.ramp)) })
  let picture = emptyTrack
  let printed = -1
  const print = (): ReplayLine => {
    const line = toReplayLine(replay.look())
    if (printed !== replay.labels) call.out(call.json ? `${JSON.stringify(line)}\n` : toReplayRow(line, race.alpha))
    printed = replay.labels
    return line
  }
  const path = request.from === '-' ? '/dev/stdin' : resolve(call.cwd, request.from)
  for await (const _label of runRows(replay, race, path, call.signal)) {
    if (request.svg !== undefined) picture = drawPoint(picture, replay)
    if (replay.labels % every === 0) print()
  }
  if (call.signal.aborted) return EXIT.interrupted
  const last = toReplayLine(replay.look())
  if (call.json) print()
  else call.out(toReplayLines(last, race))
  if (last.unpaired > 0) call.err(`note: ${last.unpaired} rows have no partner and do not count\n`)
  if (request.svg !== undefined) await writeFile(resolve(call.cwd, request.svg), toReplaySvg(picture, last, race))
  return last.verdict === 'warming-up' || last.verdict === 'keep-racing' ? EXIT.undecided : EXIT.done
}

/** Yields after each label that counts. */
async function* runRows(replay: Replay, race: RaceConfig, path: string, signal: AbortSignal): AsyncGenerator<void> {
  let number = 0
  try {
    for await (const placed of readRows(path, signal)) {
      number = placed.number
      yield* replay.add(parseOutcomeRow(placed.row, race.loss))
    }
    yield* replay.finish()
  } catch (error) {
    if (!signal.aborted) throw toPlaced(error, path, number)
  }
}

/** The error with the place in the file that it is about. */
function toPlaced(error: unknown, path: string, number: number): unknown {
  if (error instanceof Error && 'syscall' in error) {
    return new UsageError('REPLAY_FILE', `Cannot read the outcomes: ${toErrorText(error)}`, {
      where: path,
      fix: 'Name a file that you may read, or - for stdin',
    })
  }
  if (!(error instanceof Error) || !('code' in error && 'fix' in error)) return error
  if ('where' in error && error.where !== undefined) return error
  const { code, fix, message } = error
  const more = typeof fix === 'string' ? { fix } : {}
  return new UsageError(String(code), message, { where: `${path}:${number}`, ...more, cause: error.cause })
}

function drawPoint(picture: Track, replay: Replay): Track {
  return track(picture, replay.labels, () => {
    const { lower = null, upper = null, estimate, n } = replay.verdict()
    return n === 0 ? undefined : { n: replay.labels, estimate, lower, upper }
  })
}
