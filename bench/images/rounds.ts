import { linkSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CASES, type Case, type Contender } from './contender.ts'
import { BenchError, type Cost, measure } from './measure.ts'
import { writeModel } from './model.ts'

/** The costs of one contender in one case, by round; undefined where it failed. */
export type Costs = ReadonlyMap<Case, readonly ReadonlyMap<string, Cost>[]>

/** Bytes of the model in each case. */
const MODEL_BYTES = { cold: 100e6, large: 100e6, small: 1e6, same: 1e6 } as const satisfies Record<Case, number>

/** One command may take so long. */
const LIMIT_S = 120

/** What is measured, and how often. */
export interface RoundsOptions {
  readonly contenders: readonly Contender[]
  readonly folder: string
  readonly context: string
  /** The program GNU time. */
  readonly time: string
  readonly rounds: number
  /** Epoch ms: no round but the first of a case starts later. */
  readonly deadline: number
  readonly tell: (line: string) => void
}

/** What came of the rounds. */
export interface Outcome {
  readonly costs: Costs
  /** Name → why it could not do its work, from then on. */
  readonly failed: ReadonlyMap<string, string>
}

/** Runs all contenders in turn, round by round, so that what disturbs this machine disturbs all alike. */
export async function runRounds(options: RoundsOptions): Promise<Outcome> {
  const costs = new Map<Case, ReadonlyMap<string, Cost>[]>()
  const failed = new Map<string, string>()
  let seed = 0
  for (const kind of CASES) {
    const done: ReadonlyMap<string, Cost>[] = []
    costs.set(kind, done)
    for (let round = 0; round < options.rounds && (round === 0 || Date.now() < options.deadline); round += 1) {
      seed += 1
      if (kind !== 'same') changeModel(options, kind, seed)
      const able = options.contenders.filter(({ name }) => !failed.has(name))
      // Another one begins each time.
      const turn = [...able.slice(round % able.length), ...able.slice(0, round % able.length)]
      done.push(await runRound(options, kind, turn, failed))
    }
  }
  return { costs, failed }
}

async function runRound(
  { folder, tell, time }: RoundsOptions,
  kind: Case,
  contenders: readonly Contender[],
  failed: Map<string, string>,
): Promise<ReadonlyMap<string, Cost>> {
  const costs = new Map<string, Cost>()
  for (const contender of contenders) {
    const own = join(folder, contender.name)
    try {
      if (kind === 'cold') await contender.forget()
      if (kind !== 'same') await contender.prepare?.()
      const cost = await measure(time, contender.toScript(kind), own, LIMIT_S)
      costs.set(contender.name, cost)
      tell(`${kind} ${contender.name}: ${cost.wallS.toFixed(2)} s`)
    } catch (error) {
      // Without regatta there is nothing to compare with.
      if (!(error instanceof BenchError) || contender.name === 'regatta') throw error
      // One that cannot do its work is left out from here on.
      failed.set(contender.name, `${kind}: ${error.message}`)
      tell(`${kind} ${contender.name} failed and is left out: ${error.message}`)
    }
  }
  return costs
}

/** The same new model for all: in the folder that is packed, by a new file. */
function changeModel({ context, folder }: RoundsOptions, kind: Case, seed: number): void {
  const made = join(folder, 'model.onnx')
  const place = join(context, 'models', 'bench', '1')
  writeModel(made, MODEL_BYTES[kind], seed)
  mkdirSync(place, { recursive: true })
  rmSync(join(place, 'model.onnx'), { force: true })
  linkSync(made, join(place, 'model.onnx'))
}
