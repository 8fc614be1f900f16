/*
 * How often a null race names a winner that there is not, by the live code, beside the reference figures that the
 * rules were chosen by.
 *
 *     node_modules/.bin/node bench/judge/main.ts [--quick] [--runs N] [--only TEXT] [--json FILE]
 */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { type Cell, toCells, toMarkdown } from './report.ts'
import { SCENARIOS, type Tally, type Task } from './run.ts'

/** Runs of one message to a worker. */
const STEP = 25

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
  },
})

function toTasks(runs: number, only: string): Task[] {
  return SCENARIOS.flatMap(({ name, table }, scenario) =>
    `${table} ${name}`.includes(only)
      ? Array.from({ length: Math.ceil(runs / STEP) }, (_, i) => ({
          ...{ scenario, from: i * STEP },
          runs: Math.min(STEP, runs - i * STEP),
        }))
      : [],
  )
}

/** Hands tasks to a worker until there are none. */
async function work(tasks: Task[], tallies: Tally[]): Promise<void> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url))
  for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
    worker.postMessage(task)
    const [tally] = await once(worker, 'message')
    tallies.push(tally)
    process.stderr.write(`\r${tasks.length} tasks left   `)
  }
  await worker.terminate()
}

function toAllCells(tallies: readonly Tally[]): readonly Cell[] {
  return SCENARIOS.flatMap((scenario, at) => {
    const own = tallies.filter(tally => tally.scenario === at)
    const runs = own.reduce((sum, tally) => sum + tally.runs, 0)
    const found = scenario.columns.map((_, i) => own.reduce((sum, tally) => sum + (tally.found[i] ?? 0), 0))
    return runs === 0 ? [] : toCells(scenario, found, runs)
  })
}

const runs = Number(values.runs ?? (values.quick ? 100 : 1000))
const tasks = toTasks(runs, values.only)
const tallies: Tally[] = []
const startedAt = performance.now()
await Promise.all(Array.from({ length: availableParallelism() }, () => work(tasks, tallies)))
const cells = toAllCells(tallies)
const apart = cells.filter(({ agrees }) => agrees === false)
process.stderr.write(`\r${Math.round((performance.now() - startedAt) / 1000)} s, ${runs} runs a row\n`)
console.log(toMarkdown(cells))
console.log(`${cells.filter(({ agrees }) => agrees).length} cells agree, ${apart.length} do not`)
for (const { column, rate, reference, row, table } of apart)
  console.log(`  ${table}, ${row}, ${column}: ${rate} beside ${reference}`)
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ schema: 'regatta/bench-judge/v1', runs, cells }, null, 1)}\n`)
process.exitCode = apart.length === 0 ? 0 : 1
