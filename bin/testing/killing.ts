import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStore } from '../../src/store/index.ts'
import { startRace, toPair, toRequest } from '../../src/store/testing/place.ts'
import { toPlain } from '../../src/store/testing/recount.ts'
import { ControlProcess } from './control.ts'
import { toProjectYaml } from './place.ts'

/** Requests whose records, and then whose truths, go together. */
const BATCH = 5
const TOKEN = 'token-of-a-test'

/** Sends pairs and their truths, one batch after the other, and knows what was acknowledged. */
class Client {
  /** Requests of which something was sent. */
  sent = 0
  /** Requests whose truths were acknowledged. */
  acknowledged = 0

  /** Sends what is not acknowledged yet, and goes on until control is gone: it is killed `ms` after some batches. */
  async sendUntilKilled(control: ControlProcess, batches: number, ms: number): Promise<void> {
    let killed: Promise<void> | undefined
    for (let batch = 0; ; batch++) {
      if (batch === batches) killed = sleep(ms).then(() => control.end('SIGKILL'))
      if (!(await this.sendBatch(control))) break
    }
    assert.ok(killed !== undefined, 'control was gone before it was killed')
    await killed
  }

  /** Whether all of the next batch was acknowledged. */
  async sendBatch(control: ControlProcess): Promise<boolean> {
    const numbers = Array.from({ length: BATCH }, (_, n) => this.acknowledged + n)
    this.sent = this.acknowledged + BATCH
    const records = numbers.flatMap(n => toPair(n, n % 7, n % 5))
    const truths = numbers.map(n => ({ prediction: toRequest(n), value: n % 3 }))
    const batch = { schema: 'regatta/records/v1', gateway: 'g1', dropped: 0, records }
    for (const [path, document] of [['/api/v1/records', batch] as const, ['/truth', truths] as const]) {
      const answer = await control.post(path, document).catch(() => undefined)
      // An answer that broke off is none.
      if (answer === undefined || (await answer.text().catch(() => undefined)) === undefined) return false
      assert.equal(answer.status, 200)
    }
    this.acknowledged = this.sent
    return true
  }
}

/**
 * Kills the control of an image with -9 at some moment of its ingest, again and again. What was not acknowledged is
 * sent to the next one, as gateways and people do. Then the sums must be those of a recount. Returns the requests.
 */
export async function killControls(databaseUrl: string | undefined, kills: number): Promise<number> {
  await using stack = new AsyncDisposableStack()
  const root = await mkdtemp(join(tmpdir(), 'regatta-kill-'))
  stack.defer(() => rm(root, { recursive: true, force: true }))
  const where = { path: join(root, 'regatta.db'), url: databaseUrl }
  const store = stack.use(await openStore(where, { clock: Date.now }))
  const race = await startRace(store)
  const folders = [await makeProject(root, 'one'), await makeProject(root, 'two')]
  const start = async (turn: number): Promise<ControlProcess> => {
    const folder = folders[turn % 2] ?? root
    const control = await ControlProcess.start({ folder, token: TOKEN, databaseUrl })
    stack.defer(() => control.end('SIGKILL'))
    return control
  }
  const client = new Client()
  let control = await start(0)
  for (let kill = 0; kill < kills; kill++) {
    // The next one starts beside it.
    const next = await start(kill + 1)
    await client.sendUntilKilled(control, (kill * 7) % 5, (kill * 13) % 29)
    control = next
  }
  assert.ok(await client.sendBatch(control))
  await control.end('SIGTERM')
  toPlain(Array.from({ length: client.sent }, (_, n) => n)).assertSame(await store.readScoreboard(race))
  const counts = await store.readTruthCounts()
  assert.deepEqual([counts.new, counts.orphan, counts.conflict], [client.acknowledged, 0, 0])
  return client.acknowledged
}

/** A project's folder whose file of events is that of `root`: a control starts in one while another ends in the other. */
export async function makeProject(root: string, name: string): Promise<string> {
  const folder = join(root, name)
  await mkdir(join(folder, '.regatta'), { recursive: true })
  await writeFile(join(folder, 'regatta.yaml'), toProjectYaml())
  await symlink(join(root, 'regatta.db'), join(folder, '.regatta', 'regatta.db'))
  return folder
}
