// Sends malformed requests to a model server and a gateway, each a process of its own, over HTTP and gRPC; what is right
// must be answered rightly all the while: `node tools/test-fuzz.ts [--requests N] [--seed S] [--only PLACE/DOOR [--at N]]`.
// First those of `fuzz/corpus/`, which were answered wrongly once. Ends with `N passed, N failed`, counting kinds of requests.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { DOORS, type Door } from './fuzz/case.ts'
import { readCorpus } from './fuzz/corpus.ts'
import { openCrowds } from './fuzz/crowd.ts'
import { openPlaces, type Place, type Program } from './fuzz/places.ts'
import { judgeResources, type Resources, readResources, toMib } from './fuzz/resources.ts'
import { attempt, type Load, openSender, runLoad, toCount } from './fuzz/run.ts'
import { openSilent } from './fuzz/silent.ts'
import { Tally } from './fuzz/tally.ts'

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    at: { type: 'string' },
  },
})
const [requests, seed] = [Number(values.requests), Number(values.seed)]
const tally = new Tally()
const startedAt = performance.now()
try {
  await using opened = await openPlaces()
  const { places, programs } = opened
  const loads = places
    .flatMap(place => DOORS.map(door => toLoad(place, door, places.length)))
    .filter(load => isWanted(load))
  // What is loaded and compiled once is there before memory is looked at.
  await Promise.all(loads.map(load => runLoad({ ...load, to: Math.min(load.to, load.from + 200) }, tally)))
  const before = programs.map(readResources)
  const whole = values.only === undefined ? places : []
  const silent = whole.map(place => [place, openSilent(place)] as const)
  await runCorpus(places)
  const crowds = whole.map(place => [place, openCrowds(place)] as const)
  const watching = setInterval(() => printMemory(programs), 20_000)
  await Promise.all(loads.map(load => runLoad({ ...load, from: load.from + 200 }, tally)))
  clearInterval(watching)
  for (const [place, streams] of crowds) {
    tally.add(`${place.name}: streams that are left`, await streams.settle(), streams.streams)
    streams[Symbol.dispose]()
  }
  for (const [place, connections] of silent) {
    tally.add(`${place.name}: connections that do not go on`, await connections.settle())
    connections[Symbol.dispose]()
  }
  for (const [index, program] of programs.entries()) await judge(program, before[index])
} catch (error) {
  tally.add('run', error instanceof Error ? (error.stack ?? error.message) : String(error))
}
tally.print()
const { passed, failed } = tally.counts
console.log(
  `${tally.requests} malformed requests in ${Math.round((performance.now() - startedAt) / 1000)} s, seed ${seed}`,
)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)

function toLoad(place: Place, door: Door, count: number): Load {
  const at = values.at === undefined ? undefined : Number(values.at)
  return { place, door, seed, from: at ?? 0, to: at === undefined ? toCount(door, requests, count) : at + 1 }
}

function isWanted({ place, door }: Load): boolean {
  return values.only === undefined || values.only === `${place.name}/${door}`
}

async function runCorpus(all: readonly Place[]): Promise<void> {
  for (const [name, example] of readCorpus())
    for (const place of all) {
      using sender = openSender(place, example.door)
      tally.add(`${place.name}: corpus, ${name}`, await attempt(() => sender.send(example)), 1)
    }
}

function printMemory(programs: readonly Program[]): void {
  const texts = programs.map(program => `${program.name} ${toMib(readResources(program).residentBytes)}`)
  console.log(`${Math.round((performance.now() - startedAt) / 1000)} s: ${texts.join(', ')}`)
}

async function judge(program: Program, before: Resources | undefined): Promise<void> {
  const { name, child, errors } = program
  const end = child.exitCode ?? child.signalCode
  tally.add(`${name}: lives`, end === null ? undefined : `it ended with ${end}`)
  tally.add(
    `${name}: logs no error`,
    errors.length === 0 ? undefined : `${errors.length}: ${errors.slice(0, 3).join('\n')}`,
  )
  if (end !== null || before === undefined) return
  const after = await readSettled(program, before)
  const memory = `${toMib(before.residentBytes)} → ${toMib(after.residentBytes)}, at most ${toMib(after.peakBytes)}`
  console.log(`${name}: memory ${memory}; files ${before.files} → ${after.files}`)
  tally.add(`${name}: memory and connections are bounded`, judgeResources(before, after))
}

/** Connections that the clients have closed are over soon. */
async function readSettled(program: Program, before: Resources): Promise<Resources> {
  const deadline = performance.now() + 10_000
  while (judgeResources(before, readResources(program)) !== undefined && performance.now() < deadline) await sleep(100)
  return readResources(program)
}
