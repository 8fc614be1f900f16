/**
 * Clones the repository into an empty folder, tells the demo's story there with the README's command, and checks every
 * figure of its document against the stores, by ways of its own: plain SQL and the blobs of the layout.
 * Ends with `N passed, N failed`.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { DemoReport } from '../src/cli/demo/report.ts'

interface Manifest {
  readonly annotations?: Readonly<Record<string, string>>
  readonly config: { readonly digest: string }
  readonly layers: readonly { readonly digest: string; readonly annotations?: Readonly<Record<string, string>> }[]
}

const DEMO_LIMIT_MS = 8 * 60_000
const root = resolve(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'regatta-clone-'))
const state = join(folder, 'clone', 'examples', 'forecast', '.regatta')
const counts = { passed: 0, failed: 0 }
try {
  run('git', ['clone', '--quiet', '--no-hardlinks', root, join(folder, 'clone')], folder, 60_000)
  const told = run('npm', ['run', 'demo', '--', '--json'], join(folder, 'clone'), DEMO_LIMIT_MS)
  const report: DemoReport = JSON.parse(told.split('\n').findLast(line => line.startsWith('{')) ?? '')
  console.log(JSON.stringify(report))
  checkStory(report)
  checkDatabase(report)
  checkImages(report)
  check('nothing that the demo started lives on', () => assert.deepEqual(listProcesses(), []))
} catch (error) {
  counts.failed += 1
  console.log(error)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0

function check(name: string, assertion: () => void): void {
  try {
    assertion()
    counts.passed += 1
    console.log(`✔ ${name}`)
  } catch (error) {
    counts.failed += 1
    console.log(`✖ ${name}`)
    console.log(error)
  }
}

function run(command: string, args: readonly string[], cwd: string, timeout: number): string {
  // The demo's progress goes on to this program's own stderr.
  const { error, status, stdout } = spawnSync(command, args, {
    cwd,
    timeout,
    encoding: 'utf8',
    maxBuffer: 64e6,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status === 0) return stdout
  throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${error?.message ?? stdout}`)
}

function checkStory(report: DemoReport): void {
  const { failedRequests, modelLayerOnly, promoted, replicaKilled, requests, schema, seconds, truths, verdict } = report
  check('the document has its schema', () => assert.equal(schema, 'regatta/demo/v1'))
  check('the challenger wins by the statistics and is promoted', () => {
    assert.deepEqual([verdict.state, promoted], ['promote-B', 'b'])
    assert.ok((verdict.lower ?? -1) > 0)
  })
  check('more than 500 requests, none failed', () => assert.ok(requests > 500 && failedRequests === 0, `${requests}`))
  check('truths came for the requests', () => assert.ok(truths > 500 && truths <= requests, `${truths}`))
  check('the killed replica was told with its reason', () => assert.match(replicaKilled.reason, /SIGKILL/))
  check('packing the challenger added app and model layer alone', () => assert.equal(modelLayerOnly, true))
  check('it takes less than four minutes', () => assert.ok(seconds < 240, `${seconds}`))
}

/** Recounts from the raw rows what the report has from the sums. */
function checkDatabase({ promoted, requests, truths, variants, verdict }: DemoReport): void {
  using database = new DatabaseSync(join(state, 'regatta.db'), { readOnly: true })
  const ask = (sql: string, ...values: (string | number)[]): Record<string, unknown> =>
    database.prepare(sql).get(...values) ?? {}
  const count = (sql: string, ...values: (string | number)[]): unknown => Object.values(ask(sql, ...values))[0]
  for (const { digest, meanLoss, name, predictions, version } of variants) {
    const rows = `FROM prediction JOIN answer USING (request, variant) JOIN variant ON variant.id = prediction.variant
      JOIN epoch_race USING (epoch) WHERE epoch_race.race = 1 AND name = ? AND digest = ? AND version = ?`
    check(`${name}: predictions and mean loss are those of the raw rows`, () => {
      assert.equal(count(`SELECT COUNT(*) ${rows}`, name, digest, version), predictions)
      const mean = Number(count(`SELECT AVG(loss) ${rows} AND state = 1`, name, digest, version))
      assert.ok(Math.abs(mean - (meanLoss ?? Number.NaN)) < 1e-9 * mean, `${mean} ${meanLoss}`)
    })
  }
  check('requests are those that the database knows', () =>
    assert.equal(count('SELECT COUNT(DISTINCT request) FROM answer WHERE served = 1 AND status = 200'), requests),
  )
  check('truths are those that the database holds', () =>
    assert.equal(count('SELECT (SELECT COUNT(*) FROM truth) + (SELECT COUNT(*) FROM observation)'), truths),
  )
  check('the verdict is the decision on record', () => {
    const { estimate, labels, lower, state: name, upper } = verdict
    const decision = ask('SELECT state, estimate, lower, upper, n FROM decision WHERE race = 1')
    assert.deepEqual({ ...decision }, { state: name, estimate, lower, upper, n: labels })
  })
  check('the promoted variant is B of the race', () => {
    const winner = 'SELECT name FROM race JOIN variant ON variant.id = race.b WHERE race.id = 1 AND ended_how = ?'
    assert.equal(count(winner, 'promoted'), promoted)
  })
}

/** Follows each digest through the blobs of the layout. */
function checkImages({ variants }: DemoReport): void {
  for (const { digest, name, params } of variants) {
    check(`${name}: every blob of the image is what its digest says, and its run has the params`, () => {
      const manifest = readJson<Manifest>(digest)
      for (const layer of [...manifest.layers, manifest.config]) readBlob(layer.digest)
      const run = readJson<Manifest>(manifest.annotations?.['dev.regatta.run'] ?? '')
      const record = readJson<{ params: object }>(run.layers[0]?.digest ?? '')
      assert.deepEqual(record.params, params)
    })
  }
  check('the images share base and runtime, and nothing else', () => {
    const [a = [], b = []] = variants.map(({ digest }) => readJson<Manifest>(digest).layers)
    const shared = a.filter(({ digest }) => b.some(other => other.digest === digest))
    const kinds = shared.map(({ annotations }) => annotations?.['dev.regatta.layer'])
    assert.deepEqual(kinds, ['base', 'runtime'])
  })
}

function readBlob(digest: string): Buffer {
  const blob = readFileSync(join(state, 'oci', 'blobs', ...digest.split(':')))
  assert.equal(`sha256:${createHash('sha256').update(blob).digest('hex')}`, digest)
  return blob
}

function readJson<document>(digest: string): document {
  return JSON.parse(readBlob(digest).toString('utf8')) as document
}

function listProcesses(): readonly string[] {
  return readdirSync('/proc').flatMap(pid => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return []
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      return command.includes(folder) ? [command] : []
    } catch {
      return []
    }
  })
}
