import * as z from 'zod/mini'
import { type Digest, parseDigest } from '../../core/brands.ts'
import type { Comparison } from '../onnx/compare.ts'
import type { LoopFinding } from '../onnx/rewrite.ts'

/** What packing found of a model's loops, as it is remembered of each model. */
export interface LoopReport {
  /** Of the model as it was. */
  readonly original: Digest
  /** Of the model without the loops that are known; null where it was left as it is. */
  readonly rewritten: Digest | null
  readonly loops: readonly LoopFinding[]
  /** Why the model was left as it is although a loop is known. */
  readonly problem: string | null
  /** What showed that the two models are equal. */
  readonly comparison: Comparison | null
}

/**
 * A change of how models are rewritten or compared makes what is remembered worthless; digests stay what they were for
 * as long as this number does.
 */
const FORMAT = 1
const digest = z.pipe(z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/)), z.transform(parseDigest))
const text = z.nullable(z.string())
const document = z.strictObject({
  format: z.literal(FORMAT),
  original: digest,
  rewritten: z.nullable(digest),
  loops: z.array(z.strictObject({ name: z.string(), operator: z.nullable(z.enum(['RNN', 'GRU'])), reason: text })),
  problem: text,
  comparison: z.nullable(
    z.strictObject({ inputs: z.int(), error: z.number(), beforeMs: z.number(), afterMs: z.number() }),
  ),
})

/** Reads what is remembered; undefined where that is nothing, or of another time. */
export function parseLoopReport(text: string | undefined): LoopReport | undefined {
  try {
    const { format: _, ...report } = document.parse(JSON.parse(text ?? ''))
    return report
  } catch {
    return undefined
  }
}

/** The document that `parseLoopReport` reads. */
export function toLoopReportText(report: LoopReport): string {
  return JSON.stringify({ format: FORMAT, ...report })
}
