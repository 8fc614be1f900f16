import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { TruthCountsJson, TruthJson } from '../control/index.ts'
import { RegattaError, toErrorText } from '../core/errors.ts'
import type { ControlClient } from './client.node.ts'
import type { Call } from './verb.ts'

const BATCH = 1000

/** Sends a file of truths in batches, so that a long file needs little memory; control checks each. @throws TRUTH_FILE, TRUTH_JSON */
export async function sendTruths(call: Call, client: ControlClient, file: string): Promise<TruthCountsJson> {
  const path = file === '-' ? '/dev/stdin' : resolve(call.cwd, file)
  let counts: TruthCountsJson = { new: 0, duplicate: 0, revised: 0, stale: 0, conflict: 0, orphan: 0 }
  let batch: TruthJson[] = []
  let from = 1
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return
    const added = await client.truth(batch).catch((error: unknown) => {
      throw error instanceof RegattaError
        ? new RegattaError(error.code, error.message, {
            where: `truths from ${from} of ${path}`,
            ...(error.fix === undefined ? {} : { fix: error.fix }),
            cause: error.cause,
          })
        : error
    })
    counts = addCounts(counts, added)
    from += batch.length
    batch = []
  }
  for await (const truth of readTruths(path)) {
    batch.push(truth)
    if (batch.length >= BATCH) await flush()
  }
  await flush()
  return counts
}

/** Yields the items of a JSON array, or the object of each line. What they hold is control's to check. */
async function* readTruths(path: string): AsyncIterable<TruthJson> {
  const input = createReadStream(path)
  let number = 0
  let array = ''
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1
      if (array !== '' || (number === 1 && line.trimStart().startsWith('['))) array += `${line}\n`
      else if (line.trim() !== '') yield parseTruth(line, `${path}:${number}`)
    }
  } catch (error) {
    if (error instanceof RegattaError) throw error
    throw new RegattaError('TRUTH_FILE', `Cannot read the truths: ${toErrorText(error)}`, {
      where: path,
      fix: 'Name a file that you may read, or - for stdin',
    })
  }
  if (array === '') return
  const items = parseTruth(array, path)
  if (Array.isArray(items)) yield* items
}

function parseTruth(text: string, where: string): TruthJson {
  try {
    return JSON.parse(text) as TruthJson
  } catch (error) {
    throw new RegattaError('TRUTH_JSON', `Cannot read a truth: ${toErrorText(error)}`, {
      where,
      fix: 'Write a JSON array, or one JSON object per line',
    })
  }
}

function addCounts(a: TruthCountsJson, b: TruthCountsJson): TruthCountsJson {
  return {
    new: a.new + b.new,
    duplicate: a.duplicate + b.duplicate,
    revised: a.revised + b.revised,
    stale: a.stale + b.stale,
    conflict: a.conflict + b.conflict,
    orphan: a.orphan + b.orphan,
  }
}
