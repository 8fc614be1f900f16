// Measures the model server against others, in one interleaved run on this machine:
//   node bench/serve/main.ts [--models mlp,rnn,cnn] [--contenders NAMES] [--rounds N] [--seconds S]
//     [--memory-minutes M] [--server FILE] [--json FILE]
// Prints tables and what they say of this project's claims; FILE gets the same as JSON. Only ratios of one run mean
// anything, and CPU time more than wall time. What the others need is installed on the first run.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { toVerdicts } from './claims.ts'
import type { Contender } from './contender.ts'
import { openField, toReason } from './field.ts'
import { measureLoading } from './loading.ts'
import { measureHealth, measureMemory } from './long-loads.ts'
import { readWanted, writeBenchModel } from './models.ts'
import { OptionError, type Options, parseOptions } from './options.ts'
import { CONTENDERS } from './peers/index.ts'
import { type Prepared, prepare, readPath } from './prepare.ts'
import { toLines, toReport } from './report.ts'
import type { Problem, Results } from './results.ts'
import { runRounds } from './rounds.ts'
import { endMarked, RUN_MARK } from './running.ts'
import { readVersions } from './versions.ts'

const tell = (line: string): void => console.error(`bench: ${line}`)

try {
  await main(
    parseOptions(
      process.argv.slice(2),
      CONTENDERS.map(({ name }) => name),
    ),
  )
} catch (error) {
  if (!(error instanceof OptionError)) throw error
  console.error(error.message)
  process.exitCode = 2
}

async function main(options: Options): Promise<void> {
  const chosen = CONTENDERS.filter(({ name }) => options.contenders.includes(name))
  const { prepared, problems } = prepareAll(chosen)
  const { server, seconds, rounds } = options
  const folder = mkdtempSync(join(tmpdir(), 'regatta-bench-'))
  const clean = async (): Promise<void> => {
    await endMarked(RUN_MARK)
    rmSync(folder, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void clean().finally(() => process.exit(130)))
  }
  const load = { before: loadavg() }
  try {
    const bench = { folder, server, seconds, rounds, wrk: readPath('wrk'), prepared, tell }
    const measured = await measureAll(bench, options)
    const results = { ...measured, problems: [...problems, ...measured.problems] }
    print(results, { options, versions: readVersions(chosen), load: { ...load, after: loadavg() } })
  } finally {
    await clean()
  }
}

function prepareAll(contenders: readonly Contender[]) {
  const problems: Problem[] = []
  const prepared = new Map<Contender, Prepared>()
  for (const contender of contenders) {
    try {
      prepared.set(contender, prepare(contender))
    } catch (error) {
      problems.push({ contender: contender.name, reason: toReason(error) })
      tell(`${contender.name} is left out: ${toReason(error)}`)
    }
  }
  return { prepared, problems }
}

interface Circumstances {
  readonly options: Options
  readonly versions: Readonly<Record<string, string>>
  /** Average load of the machine over 1, 5 and 15 minutes. */
  readonly load: { readonly before: readonly number[]; readonly after: readonly number[] }
}

function print(results: Results, circumstances: Circumstances): void {
  const { load, options, versions } = circumstances
  const verdicts = toVerdicts(results)
  console.log(toReport(results, verdicts))
  const toText = (averages: readonly number[]): string => averages.map(average => average.toFixed(1)).join(' ')
  console.log(`\nLoad of the machine before: ${toText(load.before)}, after: ${toText(load.after)}`)
  for (const [name, version] of Object.entries(versions)) console.log(`${name}: ${version}`)
  if (options.json === undefined) return
  const document = { schema: 'regatta/bench-serve/v1', ...circumstances, verdicts, lines: toLines(results), ...results }
  writeFileSync(options.json, `${JSON.stringify(document, null, 2)}\n`)
}

async function measureAll(bench: Bench, options: Options): Promise<Results> {
  const all: Results[] = []
  for (const name of options.models) {
    const model = writeBenchModel(name, bench.folder)
    const wanted = await readWanted(model)
    await using field = await openField(bench, model, wanted)
    const { samples, problems } = await runRounds(bench, field)
    const health: Results['health'][number][] = []
    const memory: Results['memory'][number][] = []
    for (const server of field.running) {
      const { healthPath, name } = server.contender
      if (model.isSlow && healthPath !== undefined) health.push(await measureHealth(bench, server, healthPath))
      if (model.name === 'mlp' && name === 'regatta' && options.memoryMinutes > 0)
        memory.push(await measureMemory(bench, server, options.memoryMinutes))
    }
    const isOurs = model.name === 'mlp' && options.contenders.includes('regatta')
    const loading = isOurs ? await measureLoading(bench, model, wanted) : []
    all.push({ samples, health, memory, loading, starts: field.starts, problems: [...field.problems, ...problems] })
  }
  return {
    samples: all.flatMap(({ samples }) => samples),
    starts: all.flatMap(({ starts }) => starts),
    health: all.flatMap(({ health }) => health),
    memory: all.flatMap(({ memory }) => memory),
    loading: all.flatMap(({ loading }) => loading),
    problems: all.flatMap(({ problems }) => problems),
  }
}
