import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RaceJson } from '../control/index.ts'
import { toBatch, toRecord, toRequestId } from '../control/testing/place.ts'
import { until } from '../core/testing/wait.ts'
import { main } from './app.ts'
import { toInstallation } from './installation.ts'
import { TestProject } from './testing/project.ts'
import type { Terminal, World } from './world.ts'

const LEAVE = '\x1b[?25h\x1b[?1049l'

let project: TestProject
before(async () => {
  project = await TestProject.open()
  await project.race(40)
  const truths = Array.from({ length: 40 }, (_, at) => ({ prediction: toRequestId(at), value: at + (at % 3) }))
  assert.equal((await project.running.json('POST', '/truth', truths)).status, 200)
  // A busy control shows the race as it was a moment ago.
  while ((await readLabels()) < 40) await sleep(20)
})
after(async () => await project[Symbol.asyncDispose]())

async function readLabels(): Promise<number> {
  const { body } = await project.running.json('GET', '/api/v1/race')
  return (body as unknown as RaceJson).verdict.labels
}

function toWorld(terminal: Terminal | undefined) {
  const shown = { out: '', err: '' }
  const stop = new AbortController()
  const world: World = {
    out: text => {
      shown.out += text
    },
    err: text => {
      shown.err += text
    },
    ...{ terminal, colours: false, env: {}, cwd: project.place.folder, signal: stop.signal, clock: Date.now },
    installation: toInstallation(project.place.folder, true, process.execPath),
  }
  return { shown, stop, world }
}

/** Runs `regatta race --watch` and interrupts it once it has shown something. */
async function watch(terminal: Terminal | undefined, ...more: readonly string[]) {
  const { shown, stop, world } = toWorld(terminal)
  const ended = main(['race', '--watch', ...more], world)
  while (!/warming-up/.test(shown.out + shown.err)) await sleep(5)
  stop.abort(new Error('interrupted by SIGINT'))
  return { code: await ended, ...shown }
}

describe('regatta race --watch', () => {
  it('draws on a terminal, follows its size, and gives it back at Ctrl-C', async () => {
    let looks = 0
    const size = { columns: () => 80, rows: () => (++looks === 1 ? 30 : 12), colours: false }
    const { code, out, err } = await watch(size)
    assert.equal(code, 130)
    assert.ok(err.startsWith('\x1b[?1049h'), JSON.stringify(err.slice(0, 40)))
    assert.ok(err.includes('━'), err)
    assert.equal(err.split(LEAVE).length, 2)
    assert.match(out, /^VARIANT[\s\S]*warming-up: Too early/)
    assert.ok(!out.includes('\x1b'))
  })

  it('prints plain lines without a terminal', async () => {
    const { code, out, err } = await watch(undefined)
    assert.equal(code, 130)
    assert.match(out, /warming-up: Too early/)
    assert.ok(!`${out}${err}`.includes('\x1b'))
  })

  it('prints JSON where that is asked for, also on a terminal', async () => {
    const { code, out } = await watch({ columns: () => 80, rows: () => 30, colours: true }, '--json')
    assert.equal(code, 130)
    assert.equal((JSON.parse(out) as { schema: string }).schema, 'regatta/race/v1')
  })
})

describe('regatta race', () => {
  it('ends with 3 while there is no verdict, and says what may be done once there is one', async () => {
    const undecided = toWorld(undefined)
    assert.equal(await main(['race'], undecided.world), 3)
    assert.match(undecided.shown.out, /warming-up: Too early/)
    assert.equal(undecided.shown.err, '')
    const numbers = Array.from({ length: 200 }, (_, at) => at + 40)
    const { epoch } = (await project.running.json('GET', '/api/v1/status')).body
    const records = numbers.flatMap(at => [
      toRecord(at, 1, at, { epoch: Number(epoch) }),
      toRecord(at, 2, at + 1, { epoch: Number(epoch), served: false }),
    ])
    await project.running.json('POST', '/api/v1/records', toBatch(records))
    const truths = numbers.map(at => ({ prediction: toRequestId(at), value: at + 2 + (at % 3) / 3 }))
    await project.running.json('POST', '/truth', truths)
    await until(async () => (await readLabels()) === 240)
    const decided = toWorld(undefined)
    assert.equal(await main(['race'], decided.world), 0)
    assert.match(decided.shown.out, /^promote-B: b is better/m)
    assert.equal(decided.shown.err, 'next: regatta promote b\n')
  })
})
