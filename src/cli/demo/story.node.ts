import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RaceJson } from '../../control/index.ts'
import { toScopedToken } from '../../control/index.ts'
import { RegattaError, UsageError } from '../../core/errors.ts'
import { toFigure } from '../../core/figure.ts'
import { readUpRecord } from '../../core/up-record.node.ts'
import type { PackedImage } from '../../pack/index.ts'
import { runTraining } from '../../train/index.ts'
import { type ControlClient, openLocalClient } from '../client.node.ts'
import { deployVersion } from '../deploying.node.ts'
import { toPackedLines } from '../packed-view.ts'
import { packInto } from '../packing.node.ts'
import { toLiveLine } from '../progress.ts'
import { toPromotedLines } from '../promoted-view.ts'
import { toImprovement, toRaceLines } from '../race-view.ts'
import { scaffold } from '../scaffold.node.ts'
import { toStatusLines } from '../status-view.ts'
import { paint, toDuration } from '../terminal.ts'
import { toTraceLines } from '../trace-view.ts'
import { toTrainingView } from '../training-view.ts'
import { stopUp } from '../up.node.ts'
import type { Call } from '../verb.ts'
import { openWorkplace, type Workplace } from '../workplace.node.ts'
import type { DemoReport } from './report.ts'
import { readCounts, readReport } from './stores.node.ts'
import { LiveTraffic } from './traffic.node.ts'

/** The two models of the story: A looks best on history, B is better on new live data. */
const A = { hidden: 200 }
const B = { hidden: 100, epochs: 600 }

const CALM_PER_SECOND = 10
const RACE_PER_SECOND = 100
const MOST_LABELS = 6000
/** The race sees the walks from number 0 on; what comes before and after it sees later ones. */
const RACE_WALKS = 0
const CALM_WALKS = 1_000_000

/** Tells the whole story and returns its figures. Whatever happens, nothing is left running unless `keep`. */
export async function tellStory(
  call: Call,
  options: { readonly keep: boolean; readonly swap: boolean },
): Promise<DemoReport> {
  const startedAt = call.clock()
  const workplace = await openDemoProject(call)
  const before = await readCounts(call, workplace)
  const [champion, challenger] = options.swap ? [B, A] : [A, B]
  try {
    heading(call, 1, 'train model A')
    await train(call, workplace, champion)
    heading(call, 2, 'pack it into an image, without Docker')
    const imageA = await packTwice(call, workplace)
    heading(call, 3, 'deploy it: a gateway, control and the replicas, ready when all are')
    const first = { version: imageA.version, digest: imageA.digest, variant: 'a' }
    const { client, status } = await deployVersion(call, workplace, { request: first, wait: true })
    call.err(toStatusLines(status, call.terminal?.colours ?? false))
    heading(call, 4, `new live data arrive: ${CALM_PER_SECOND} predictions a second, each truth a second later`)
    await using traffic = startTraffic(call, workplace, client, status.gateway.url ?? '')
    heading(call, 5, 'meanwhile train model B, pack it, and let it see copies of the same requests')
    await train(call, workplace, challenger)
    const imageB = await pack(call, workplace)
    const { version, digest } = imageB
    const second = { version, digest, variant: 'b', challenger: { mode: 'shadow' } } as const
    await deployVersion(call, workplace, { request: second, wait: true })
    heading(call, 6, 'race: which one is better on the live data?')
    const race = await raceOn(call, client, traffic)
    const promoted =
      race.verdict.state === 'promote-B' ? await promoteWinner(call, client, traffic) : tellKept(call, race)
    heading(call, 8, 'kill a replica of the champion with -9')
    const replicaKilled = await killReplica(call, client)
    if (promoted !== null) {
      heading(call, 9, 'roll back, and promote again')
      await swapTwice(call, client)
    }
    await traffic[Symbol.asyncDispose]()
    const { last } = traffic
    if (last !== undefined) await untilRecorded(call, () => client.trace(last.prediction))
    const told = {
      before,
      verdict: race.verdict,
      replicaKilled,
      failedRequests: traffic.failures.length,
      seconds: (call.clock() - startedAt) / 1000,
    }
    const report = await readReport(call, workplace, told)
    call.err(
      `${report.requests} requests, ${report.failedRequests} failed, in ${toDuration(call.clock() - startedAt)}\n`,
    )
    for (const failure of traffic.failures.slice(0, 5)) call.err(`  failed: ${failure}\n`)
    if (options.keep) call.err(`left running; the race: ${client.url}/  (regatta down stops it)\n`)
    return report
  } finally {
    if (!options.keep || call.signal.aborted) await clear({ ...call, signal: new AbortController().signal }, workplace)
  }
}

/** Forgets the deployment and stops everything, also where the story was interrupted: it can be told again. */
async function clear(call: Call, workplace: Workplace): Promise<void> {
  const { paths } = workplace
  try {
    if ((await readUpRecord(paths.upRecord)) !== undefined)
      await (await openLocalClient(paths, call.signal)).deleteDeployment()
  } finally {
    for (const line of await stopUp(call, workplace)) call.err(`${line}\n`)
  }
}

/** The project of the working folder where it is the example, else a new one in ./regatta-demo. */
async function openDemoProject(call: Call): Promise<Workplace> {
  const isExample = (folder: string): boolean =>
    existsSync(join(folder, 'live.ts')) && existsSync(join(folder, 'regatta.yaml'))
  const folder = isExample(call.cwd) ? call.cwd : resolve(call.cwd, 'regatta-demo')
  if (!isExample(folder)) {
    await scaffold(call, folder)
    call.err(`made the example in ${folder}\n`)
  }
  const workplace = await openWorkplace({ ...call, cwd: folder })
  if (existsSync(join(workplace.paths.local, 'routes.json'))) {
    throw new UsageError('DEMO_DEPLOYED', 'Cannot tell the story here: something is deployed already', {
      where: folder,
      fix: 'regatta delete --yes, or run the demo in another folder',
    })
  }
  return workplace
}

function heading(call: Call, step: number, text: string): void {
  call.err(`\n${paint(call.terminal?.colours ?? false, 'bold', `${step}. ${text}`)}\n`)
}

async function train(call: Call, { layout, project }: Workplace, set: Readonly<Record<string, number>>): Promise<void> {
  const view = toTrainingView(call)
  const { clock, env, installation } = call
  const run = await runTraining(
    { project, set, layout, clock, env, node: installation.node, onEvent: view.onEvent },
    call.signal,
  )
  view.close()
  if (run.record.state === 'done') return
  throw new RegattaError('DEMO_TRAIN', `The training ${run.record.state}: ${run.record.reason}`, {
    fix: `regatta runs ${run.record.id}`,
  })
}

async function pack(call: Call, workplace: Workplace): Promise<PackedImage> {
  const packed = await packInto(call, workplace, { runId: undefined, model: undefined, output: undefined })
  call.err(toPackedLines(packed))
  return packed
}

async function packTwice(call: Call, workplace: Workplace): Promise<PackedImage> {
  const first = await pack(call, workplace)
  const second = await packInto(call, workplace, { runId: undefined, model: undefined, output: undefined })
  if (second.digest !== first.digest) throw new Error(`Packing twice gave ${first.digest} and ${second.digest}`)
  call.err(`packed again: the same digest, ${first.digest}\n`)
  return first
}

function startTraffic(call: Call, { project }: Workplace, { token }: ControlClient, gateway: string): LiveTraffic {
  const { installation, signal } = call
  const options = { folder: project.folder, node: installation.node, gateway, model: project.name, signal }
  const traffic = new LiveTraffic({ ...options, token: toScopedToken(token, 'truth') }, CALM_PER_SECOND, CALM_WALKS)
  traffic.start()
  return traffic
}

/** Lets the race see the same walks in every story, quickly, until it decides. */
async function raceOn(call: Call, client: ControlClient, traffic: LiveTraffic): Promise<RaceJson> {
  traffic.skipTo(RACE_WALKS)
  traffic.setRate(RACE_PER_SECOND)
  const race = await watchRace(call, client)
  call.err(toRaceLines(race, call.terminal?.colours ?? false))
  traffic.setRate(CALM_PER_SECOND)
  traffic.skipTo(CALM_WALKS + MOST_LABELS)
  return race
}

async function watchRace(call: Call, client: ControlClient): Promise<RaceJson> {
  const live = toLiveLine(call)
  let told = 0
  for (;;) {
    const race = await client.race()
    const labels = race?.verdict.labels ?? 0
    if (race !== undefined) {
      const losses = race.variants.map(arm => `${arm.name} ${toFigure(arm.meanLoss)}`).join('  ')
      const missing = race.verdict.gates.find(({ passed }) => !passed)
      const text = `${losses}  improvement ${toImprovement(race.verdict, race.alpha)}  ${race.verdict.state}${missing === undefined ? '' : ` (${missing.detail})`}`
      live.show(text)
      if (call.terminal === undefined && labels >= told + 100) {
        told = labels
        live.milestone(text)
      }
      const decided = race.verdict.state !== 'warming-up' && race.verdict.state !== 'keep-racing'
      if (decided || labels >= MOST_LABELS) {
        live.clear()
        return race
      }
    }
    await sleep(200, undefined, { signal: call.signal })
  }
}

async function promoteWinner(call: Call, client: ControlClient, traffic: LiveTraffic): Promise<string> {
  heading(call, 7, 'promote the winner while traffic flows')
  const promoted = await client.promote(undefined)
  call.err(toPromotedLines(promoted))
  while (traffic.last?.variant !== promoted.champion) await sleep(50, undefined, { signal: call.signal })
  const { prediction } = traffic.last
  call.err(toTraceLines(await untilRecorded(call, () => client.trace(prediction))))
  return promoted.champion
}

async function swapTwice(call: Call, client: ControlClient): Promise<void> {
  call.err(toPromotedLines(await client.rollback()))
  await sleep(500, undefined, { signal: call.signal })
  call.err(toPromotedLines(await client.promote('b')))
  await sleep(500, undefined, { signal: call.signal })
}

function tellKept(call: Call, race: RaceJson): null {
  heading(call, 7, 'nothing to promote')
  call.err(`the champion stays: ${race.verdict.reason}\n`)
  return null
}

/** Records travel in batches: a prediction is known a moment after its answer. */
async function untilRecorded<value>(call: Call, read: () => Promise<value>): Promise<value> {
  const deadline = call.clock() + 10_000
  for (;;) {
    try {
      return await read()
    } catch (error) {
      if (call.clock() > deadline) throw error
      await sleep(100, undefined, { signal: call.signal })
    }
  }
}

async function killReplica(call: Call, client: ControlClient): Promise<DemoReport['replicaKilled']> {
  const champion = (await client.status()).variants.find(({ role }) => role === 'champion')
  const victim = champion?.replicas.find(({ state }) => state === 'ready')
  if (victim?.pid === undefined || victim.pid === null) throw new Error('The champion has no ready replica to kill')
  process.kill(victim.pid, 'SIGKILL')
  let reason: string | undefined
  const deadline = call.clock() + 30_000
  while (call.clock() < deadline) {
    const now = (await client.status()).variants
      .flatMap(({ replicas }) => replicas)
      .find(({ name }) => name === victim.name)
    // One that is ready may have a reason too: it performs poorly.
    if (now !== undefined && now.state !== 'ready' && now.reason !== null && reason === undefined) {
      reason = now.reason
      call.err(`${now.name} is ${now.state} [${now.code}]: ${reason}\n`)
    }
    if (reason !== undefined && now?.state === 'ready' && now.pid !== victim.pid) {
      call.err(`${now.name} is ready again (process ${now.pid}, restart ${now.restarts})\n`)
      return { name: victim.name, reason }
    }
    await sleep(20, undefined, { signal: call.signal })
  }
  throw new Error(`${victim.name} did not come back within 30 s of its kill`)
}
