import * as z from 'zod/mini'
import { parseDigest } from '../core/brands.ts'
import { RegattaError } from '../core/errors.ts'
import { RUN_ID } from './paths.ts'
import type { RunRecord, RunStart } from './record.ts'

/*
 * The shapes of record.ts as documents that were read from a disk.
 */

const count = z.int().check(z.gte(0))
const file = z.strictObject({
  path: z.string().check(z.minLength(1)),
  digest: z.pipe(z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/)), z.transform(parseDigest)),
  sizeBytes: count,
})
const point = z.strictObject({ step: z.number(), value: z.number(), at: count })
const size = z.union([z.number(), z.string(), z.null()])
const value = z.strictObject({ name: z.string(), dtype: z.string(), shape: z.nullable(z.array(size)) })
const signature = z.strictObject({
  irVersion: count,
  opsets: z.array(z.strictObject({ domain: z.string(), version: z.int() })),
  inputs: z.array(value),
  outputs: z.array(value),
  metadata: z.record(z.string(), z.string()),
})

const START = {
  id: z.string().check(z.regex(RUN_ID)),
  model: z.string(),
  command: z.string(),
  params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  data: z.array(file),
  git: z.nullable(z.strictObject({ commit: z.string(), dirty: z.boolean() })),
  environment: z.strictObject({ platform: z.string(), arch: z.string(), node: z.string(), cpus: count }),
  startedAt: count,
}

const startSchema = z.strictObject(START)
const recordSchema = z.strictObject({
  ...START,
  schema: z.literal('regatta/run/v1'),
  state: z.enum(['done', 'failed', 'interrupted']),
  code: z.nullable(z.enum(['RUN_COMMAND', 'RUN_NO_MODEL', 'ONNX_FORMAT', 'RUN_OUTPUT', 'RUN_STOPPED', 'RUN_LOST'])),
  reason: z.nullable(z.string()),
  metrics: z.record(z.string(), z.array(point)),
  output: z.array(file),
  signature: z.nullable(signature),
  exitCode: z.nullable(z.int()),
  signal: z.nullable(z.string()),
  endedAt: count,
  logTail: z.array(z.string()),
  notes: z.array(z.string()),
})

/** Reads the JSON of a run's record; `where` names it in errors. @throws RUN_RECORD */
export const parseRunRecord = (json: string, where: string): RunRecord => parse(recordSchema, json, where)

/** Reads the JSON of what is known of a run at its start. @throws RUN_RECORD */
export const parseRunStart = (json: string, where: string): RunStart => parse(startSchema, json, where)

function parse<output>(schema: z.ZodMiniType<output>, json: string, where: string): output {
  try {
    return schema.parse(JSON.parse(json))
  } catch (cause) {
    const problem = cause instanceof z.core.$ZodError ? cause.issues[0] : undefined
    const place = problem === undefined ? 'it is not JSON' : toPlace(problem)
    throw new RegattaError('RUN_RECORD', `Cannot read the record of a run: ${place}`, {
      where,
      fix: 'Use the version of regatta that wrote it',
      cause,
    })
  }
}

function toPlace(issue: z.core.$ZodIssue): string {
  const keys = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  return `"${[...issue.path, ...keys].join('.')}" is another than was expected`
}
