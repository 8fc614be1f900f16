import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { findFreePort } from '../../src/core/free-port.node.ts'
import type { Bench } from './bench.ts'
import type { Contender, Place } from './contender.ts'
import { type Entry, toLoopEntry, toServerEntry } from './entry.ts'
import type { BenchModel } from './models.ts'
import type { Prepared } from './prepare.ts'
import type { Protocol } from './protocols.ts'
import type { Problem, StartResult } from './results.ts'
import { checkAnswer, type Running, startServer } from './running.ts'

/** Connections of the cases that show what batching gains. */
const MANY = 64

/** All contenders of one model, ready to be measured. Disposal ends them. */
export interface Field extends AsyncDisposable {
  readonly model: BenchModel
  readonly running: readonly Running[]
  readonly entries: readonly Entry[]
  readonly starts: readonly StartResult[]
  readonly problems: readonly Problem[]
}

/**
 * Starts all servers for one model, one after the other; one that does not start, or does not speak a protocol, is a
 * problem that is told, and no failure. `wanted` is the model's answer.
 */
export async function openField(bench: Bench, model: BenchModel, wanted: readonly number[]): Promise<Field> {
  const running: Running[] = []
  const entries: Entry[] = []
  const problems: Problem[] = []
  const note = (problem: Problem): void => {
    problems.push(problem)
    bench.tell(`${model.name} ${problem.contender} ${problem.protocol ?? ''} is left out: ${problem.reason}`)
  }
  for (const [contender, prepared] of bench.prepared) {
    if (contender.models?.includes(model.name) === false) continue
    const place = await openPlace(bench, contender, model, prepared)
    if (contender.kind === 'loop') {
      entries.push(toLoopEntry(contender, place))
      continue
    }
    try {
      const server = await startServer(contender, place, wanted)
      running.push(server)
      bench.tell(`${model.name} ${contender.name} answers after ${server.start.wallS.toFixed(1)} s`)
      entries.push(...(await toEntries(bench, server, wanted, note)))
    } catch (error) {
      note({ contender: contender.name, model: model.name, reason: toReason(error) })
    }
  }
  const starts = running.map(({ contender, start }) => ({ model: model.name, contender: contender.name, ...start }))
  const dispose = async (): Promise<void> => {
    await Promise.all(running.map(server => server[Symbol.asyncDispose]()))
  }
  return { model, running, entries, starts, problems, [Symbol.asyncDispose]: dispose }
}

/** What went wrong, in words. */
export function toReason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Makes the place of a contender for one model. */
export async function openPlace(
  { folder, server }: Bench,
  { name }: Contender,
  model: BenchModel,
  prepared: Prepared,
): Promise<Place> {
  const own = join(folder, `${model.name}-${name}`)
  mkdirSync(own)
  const [http, grpc, metrics] = [await findFreePort(), await findFreePort(), await findFreePort()]
  return { model, folder: own, ports: { http, grpc, metrics }, node: process.execPath, server, ...prepared }
}

/** The cases of a server: each protocol in which it gives the right answer. */
async function toEntries(
  bench: Bench,
  server: Running,
  wanted: readonly number[],
  note: (problem: Problem) => void,
): Promise<readonly Entry[]> {
  const { contender, place } = server
  const { connections, isSlow, name } = place.model
  const able: Protocol[] = []
  for (const protocol of contender.protocols) {
    try {
      await checkAnswer(contender, place, protocol, wanted)
      able.push(protocol)
    } catch (error) {
      note({ contender: contender.name, model: name, protocol, reason: toReason(error) })
    }
  }
  const many =
    contender.isBatching === true && !isSlow ? [toServerEntry(bench, server, contender.protocols[0], MANY)] : []
  return [...able.map(protocol => toServerEntry(bench, server, protocol, connections)), ...many]
}
