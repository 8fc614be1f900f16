import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { toScopedToken } from '../../src/control/tokens.ts'
import { startTestGateway, type TestGateway, toRoutes, until } from '../../src/route/testing/gateway.ts'
import { predicting, startServer } from '../../src/route/testing/upstream.ts'
import { ask } from '../../src/store/testing/place.ts'
import { startPostgres } from '../../tools/postgres/server.ts'
import { ControlProcess } from './control.ts'
import { toProjectYaml } from './place.ts'

const TOKEN = 'token-of-a-test'
/** Room for some two hundred records, of which many must arrive. */
const MAX_SPOOL_BYTES = 64 * 1024
const MANY = 100
/** Requests after which the spool must have been full, and how many are sent at once. */
const MOST_REQUESTS = 20_000
const AT_ONCE = 20

/** Asks at the same time, and expects of each what the model says. */
async function predict(gateway: TestGateway): Promise<number> {
  const replies = await Promise.all(Array.from({ length: AT_ONCE }, () => gateway.predict()))
  for (const { status, text } of replies) assert.deepEqual([status, text], [200, '{"predictions":[[4]]}'])
  return replies.length
}

async function readDropped(gateway: TestGateway): Promise<number> {
  return Number(/records_total\{state="dropped"\} (\d+)/.exec(await gateway.metrics())?.[1] ?? 0)
}

describe('a deployment whose PostgreSQL is stopped', () => {
  it('answers as before, spools up to its bound, and has or counts every record when it is back', async () => {
    await using stack = new AsyncDisposableStack()
    const postgres = await startPostgres()
    assert.ok(!('problem' in postgres), 'problem' in postgres ? postgres.problem : '')
    stack.use(postgres)
    const folder = await mkdtemp(join(tmpdir(), 'regatta-away-'))
    stack.defer(() => rm(folder, { recursive: true, force: true }))
    await writeFile(join(folder, 'regatta.yaml'), toProjectYaml())
    const control = await ControlProcess.start({ folder, token: TOKEN, databaseUrl: postgres.toUrl() })
    stack.defer(() => control.end('SIGTERM'))
    const model = stack.use(await startServer(predicting(4)))
    const gateway = stack.use(
      await startTestGateway({
        routes: toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [model.url] }]),
        controlUrl: control.url,
        token: toScopedToken(TOKEN, 'gateway'),
        limits: { maxSpoolBytes: MAX_SPOOL_BYTES },
      }),
    )
    const countStored = async (): Promise<number> =>
      Number((await ask(postgres.toUrl(), 'select count(*)::int as n from regatta.answer'))[0]?.['n'])
    let sent = await predict(gateway)
    const before = sent
    await until(async () => (await countStored()) === before)

    await postgres.stop('fast')
    while ((await readDropped(gateway)) === 0) {
      assert.ok(sent < MOST_REQUESTS, 'the spool takes more than it should')
      sent += await predict(gateway)
      assert.ok((await stat(join(gateway.folder, 'spool.ndjson'))).size <= MAX_SPOOL_BYTES)
    }
    await postgres.start()
    sent += await predict(gateway)
    await until(async () => (await countStored()) + (await readDropped(gateway)) === sent)
    assert.ok((await countStored()) - before >= MANY, `${await countStored()} of ${sent} records`)
  })
})
