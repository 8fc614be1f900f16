import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openStore } from '../../src/store/index.ts'
import { createDatabase, startRace, toPair, toRequest } from '../../src/store/testing/place.ts'
import { ControlProcess } from './control.ts'
import { makeProject } from './killing.ts'

const TOKEN = 'token-of-a-test'
const BATCHES = 80
/** Requests of a batch, of two predictions each: as many as a gateway sends. */
const REQUESTS = 250

describe('the control of an image', () => {
  for (const database of ['SQLite', 'PostgreSQL'] as const) {
    it(`on ${database} stays below 150 MB while it takes records and truths`, async () => {
      await using stack = new AsyncDisposableStack()
      const root = await mkdtemp(join(tmpdir(), 'regatta-memory-'))
      stack.defer(() => rm(root, { recursive: true, force: true }))
      const databaseUrl =
        database === 'SQLite' ? undefined : await createDatabase(process.env['REGATTA_TEST_POSTGRES'] ?? '')
      const store = stack.use(
        await openStore({ path: join(root, 'regatta.db'), url: databaseUrl }, { clock: Date.now }),
      )
      await startRace(store)
      const folder = await makeProject(root, 'project')
      const control = await ControlProcess.start({ folder, token: TOKEN, databaseUrl })
      stack.defer(() => control.end('SIGTERM'))
      for (let batch = 0; batch < BATCHES; batch++) {
        const numbers = Array.from({ length: REQUESTS }, (_, n) => batch * REQUESTS + n)
        const records = numbers.flatMap(n => toPair(n, Math.sin(n), Math.sin(n + 0.1)))
        const head = { schema: 'regatta/records/v1', gateway: 'g1', dropped: 0 }
        assert.equal((await control.post('/api/v1/records', { ...head, records })).status, 200)
        const truths = numbers.map(n => ({ prediction: toRequest(n), value: Math.sin(n + 0.05) }))
        assert.equal((await control.post('/truth', truths)).status, 200)
      }
      const rss = control.readRss()
      assert.ok(rss < 150e6, `${Math.round(rss / 1e6)} MB`)
    })
  }
})
