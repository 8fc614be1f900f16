/*
 * A project in a temporary folder, to train in for real.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseProject } from '../../config/index.ts'
import { type ImageLayout, openLayout } from '../../oci/index.ts'
import { runTraining, type StoredRun, type TrainingEvent, type TrainingOptions } from '../index.ts'
import { toLinearModel } from './onnx-model.ts'

/** A project's folder with `linear.onnx` in it, a layout, and all that was told of its runs. */
export interface Workshop extends AsyncDisposable {
  readonly folder: string
  readonly layout: ImageLayout
  readonly events: TrainingEvent[]
  /** Trains with a command; `wish` adds keys of `train` and options. */
  train(command: string, wish?: Wish): Promise<StoredRun>
}

/** What differs from one training to the next. */
export interface Wish extends Partial<Pick<TrainingOptions, 'clock' | 'env' | 'graceMs' | 'onEvent' | 'set'>> {
  readonly train?: Readonly<Record<string, unknown>>
  readonly signal?: AbortSignal
}

/** Leaves a model where the command is asked to. */
export const LEAVE_MODEL = 'cp linear.onnx "$REGATTA_OUTPUT/model.onnx"'

/** Makes a workshop. */
export async function openWorkshop(): Promise<Workshop> {
  const folder = await mkdtemp(join(tmpdir(), 'regatta-train-'))
  await writeFile(join(folder, 'linear.onnx'), toLinearModel({ weight: 2 }))
  const layout = await openLayout(join(folder, '.regatta', 'oci'))
  const events: TrainingEvent[] = []
  return {
    folder,
    layout,
    events,
    async train(command, { train = {}, signal = new AbortController().signal, ...wish } = {}) {
      const text = JSON.stringify({ name: 'forecast', train: { run: command, ...train } })
      const options: TrainingOptions = {
        project: parseProject(text, { folder, env: {} }),
        set: {},
        layout,
        clock: Date.now,
        env: { PATH: process.env['PATH'] },
        node: process.execPath,
        graceMs: 500,
        onEvent: event => events.push(event),
        ...wish,
      }
      return await runTraining(options, signal)
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
