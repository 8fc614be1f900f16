import { write } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { OutcomeJson } from '../../control/index.ts'
import { RegattaError, toErrorText, toSystemCode, UsageError } from '../../core/errors.ts'
import { readLines, toTexts } from '../../core/lines.ts'
import { openClient } from '../client.node.ts'
import { toLiveLine } from '../progress.ts'
import type { Call } from '../verb.ts'
import { openWorkplace } from '../workplace.node.ts'
import { CSV_HEADING, EXPORT_FORMATS, type ExportFormat, toCsvLine, toJsonLine } from './lines.ts'

/** What `regatta export` is told. */
export interface ExportFlags {
  readonly race: number | undefined
  readonly output: string
  readonly format: string | undefined
}

/** What was written. */
export interface Exported {
  readonly race: number
  readonly outcomes: number
  /** Undefined: stdout. */
  readonly path: string | undefined
}

/** Characters that are gathered before they are written. */
const PIECE_CHARS = 256 * 1024

/** Tells the form of a file by its name; stdout is NDJSON. @throws EXPORT_FORMAT (a UsageError) */
export function toExportFormat(output: string, flag: string | undefined): ExportFormat {
  const extension = output === '-' ? 'ndjson' : basename(output).split('.').at(-1)?.toLowerCase()
  const wanted = flag ?? (extension === 'jsonl' ? 'ndjson' : extension)
  const format = EXPORT_FORMATS.find(format => format === wanted)
  if (format !== undefined) return format
  const what = flag === undefined ? `the form of "${output}" from its name` : `--format "${flag}"`
  throw new UsageError('EXPORT_FORMAT', `Cannot tell ${what}: expected one of ${EXPORT_FORMATS.join(', ')}`, {
    fix: '--output outcomes.parquet',
  })
}

/**
 * Writes the outcomes of a race, as they come from control, into a file or to stdout. A file is there when it is
 * whole. @throws EXPORT_FORMAT, RACE_NONE, EXPORT_KIND, and what control answers
 */
export async function exportOutcomes(call: Call, flags: ExportFlags): Promise<Exported> {
  const format = toExportFormat(flags.output, flags.format)
  await using client = await openClient(call, await openWorkplace(call))
  const race = flags.race ?? (await client.race())?.race
  if (race === undefined) {
    throw new RegattaError('RACE_NONE', 'There is no race yet: nothing runs beside the champion', {
      fix: 'regatta deploy VERSION --challenger b --shadow',
    })
  }
  const line = toLiveLine(call)
  let outcomes = 0
  async function* counted(): AsyncGenerator<OutcomeJson> {
    for await (const { text } of readLines(toTexts(client.outcomes(race ?? 0)))) {
      yield JSON.parse(text) as OutcomeJson
      outcomes += 1
      line.show(`${outcomes} outcomes`)
    }
  }
  const path = flags.output === '-' ? undefined : resolve(call.cwd, flags.output)
  try {
    await writeWhole(path, write => WRITERS[format](counted(), write))
  } finally {
    line.clear()
  }
  return { race, outcomes, path }
}

type Write = (bytes: Uint8Array) => Promise<void>

/** Writes beside the file and puts that in its place when it is whole. @throws EXPORT_FILE */
async function writeWhole(path: string | undefined, fill: (write: Write) => Promise<void>): Promise<void> {
  if (path === undefined) return await fill(writeOut)
  const part = `${path}.part`
  const handle = await open(part, 'w').catch(cause => {
    throw new RegattaError('EXPORT_FILE', `Cannot write the outcomes: ${toErrorText(cause)}`, {
      where: path,
      fix: 'Name a file in a folder that you may write to',
      cause,
    })
  })
  try {
    await fill(async bytes => await handle.writeFile(bytes))
    await handle.close()
    await rename(part, path)
  } catch (error) {
    await handle.close()
    await rm(part, { force: true })
    throw error
  }
}

const writeSome = promisify(write)
/** Until a full pipe is tried again. */
const FULL_MS = 5

/** Writes to stdout and waits until it has taken all, so that a slow reader holds nothing in memory. */
async function writeOut(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) {
    try {
      const { bytesWritten } = await writeSome(1, bytes, at, bytes.byteLength - at, null)
      at += bytesWritten
    } catch (error) {
      // A pipe that Node has made non-blocking says so while it is full.
      if (toSystemCode(error) !== 'EAGAIN') throw error
      await sleep(FULL_MS)
    }
  }
}

/** Writes outcomes in each of the forms. */
export const WRITERS = {
  ndjson: (outcomes, write) => writeLines(outcomes, '', toJsonLine, write),
  csv: (outcomes, write) => writeLines(outcomes, CSV_HEADING, toCsvLine, write),
  async parquet(outcomes, write) {
    const { writeParquet } = await import('./parquet.node.ts')
    await writeParquet(outcomes, write)
  },
} as const satisfies Record<ExportFormat, (outcomes: AsyncIterable<OutcomeJson>, write: Write) => Promise<void>>

async function writeLines(
  outcomes: AsyncIterable<OutcomeJson>,
  heading: string,
  toLine: (outcome: OutcomeJson) => string,
  write: Write,
): Promise<void> {
  const encoder = new TextEncoder()
  let piece = heading
  for await (const outcome of outcomes) {
    piece += toLine(outcome)
    if (piece.length < PIECE_CHARS) continue
    await write(encoder.encode(piece))
    piece = ''
  }
  await write(encoder.encode(piece))
}
