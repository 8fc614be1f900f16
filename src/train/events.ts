import type { RunStart, StoredRun } from './record.ts'

/** What happens while a model is trained, in order: `started` first, `finished` last. */
export type TrainingEvent =
  | { readonly kind: 'started'; readonly run: RunStart }
  /** A line of metrics; `values` holds the finite ones. `step` is the line's epoch or step, else its number from 1. */
  | { readonly kind: 'metric'; readonly step: number; readonly values: Readonly<Record<string, number>> }
  /** Any other line of the command. */
  | { readonly kind: 'output'; readonly line: string; readonly stream: 'stdout' | 'stderr' }
  | { readonly kind: 'finished'; readonly run: StoredRun }
