import assert from 'node:assert/strict'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { toRequestId } from '../../control/testing/place.ts'
import { TestProject } from '../testing/project.ts'
import { toExportFormat } from './export.node.ts'

/* The command as a process of its own, against a real control on SQLite. */

const REQUESTS = 12_000
const AT = '2026-01-01T00:00:00.000Z'

let project: TestProject
before(async () => {
  project = await TestProject.open()
  await project.race(REQUESTS)
  const truths = Array.from({ length: REQUESTS }, (_, at) => ({ prediction: toRequestId(at), value: at }))
  assert.equal((await project.running.json('POST', '/truth', truths)).status, 200)
})
after(async () => await project[Symbol.asyncDispose]())

const first = {
  ...{ request: toRequestId(0), row: 0, variant: 'a', version: 1, series: null, target_at: null },
  ...{ prediction: 0, truth: 0, loss: 0, served: true, propensity: 1, epoch: 2 },
  ...{ input: null, output: null },
  ...{ entity: null, covariate: null, pinned: false, champion: true },
}

describe('regatta export', () => {
  it('writes Parquet in several row groups', async () => {
    const path = join(project.place.folder, 'outcomes.parquet')
    const { code, out, err } = await project.run('export', '--output', path)
    assert.equal(code, 0, err)
    assert.equal(out, `${path}: 24000 outcomes of race 1\n`)
    const file = await asyncBufferFromFile(path)
    assert.equal((await parquetMetadataAsync(file)).row_groups.length, 2)
    const rows = await parquetReadObjects({ file })
    assert.equal(rows.length, 24_000)
    assert.deepEqual({ ...rows[0] }, { ...first, at: new Date(AT) })
    assert.deepEqual([rows.at(-1)?.['prediction'], rows.at(-1)?.['loss']], [REQUESTS, 1])
  })

  it('writes NDJSON to stdout', async () => {
    const { code, out, err } = await project.run('export', '--race', '1')
    assert.equal(code, 0, err)
    const lines = out.trimEnd().split('\n')
    assert.equal(lines.length, 24_000)
    assert.deepEqual(JSON.parse(lines[0] ?? ''), { ...first, at: AT })
  })

  it('writes CSV, and says so in JSON', async () => {
    const path = join(project.place.folder, 'outcomes.csv')
    const { code, out } = await project.run('export', '--output', path, '--json')
    assert.equal(code, 0)
    assert.deepEqual(JSON.parse(out), { schema: 'regatta/export/v1', race: 1, outcomes: 24_000, path })
    const [heading, line] = (await readFile(path, 'utf8')).split('\n')
    assert.equal(
      heading,
      'request,row,variant,version,at,series,target_at,prediction,truth,loss,served,propensity,epoch,input,output,' +
        'entity,covariate,pinned,champion',
    )
    assert.equal(line, `${toRequestId(0)},0,a,1,${AT},,,0,0,0,true,1,2,,,,,false,true`)
  })

  it('leaves no file where there is no such race', async () => {
    const path = join(project.place.folder, 'none.csv')
    const { code, err } = await project.run('export', '--race', '7', '--output', path)
    assert.equal(code, 1)
    assert.match(err, /error\[RACE_UNKNOWN\]/)
    await assert.rejects(access(path))
    await assert.rejects(access(`${path}.part`))
  })

  it('says that a folder is not there', async () => {
    const { code, err } = await project.run('export', '--output', join(project.place.folder, 'none', 'x.csv'))
    assert.equal(code, 1)
    assert.match(err, /error\[EXPORT_FILE\]/)
  })
})

describe('toExportFormat()', () => {
  const cases = [
    ['-', undefined, 'ndjson'],
    ['-', 'parquet', 'parquet'],
    ['x.JSONL', undefined, 'ndjson'],
    ['x.csv', undefined, 'csv'],
    ['x.parquet', 'csv', 'csv'],
  ] as const
  for (const [output, flag, wanted] of cases) {
    it(`takes ${output} with ${flag ?? 'no flag'} for ${wanted}`, () => {
      assert.equal(toExportFormat(output, flag), wanted)
    })
  }
  for (const [output, flag] of [
    ['x.txt', undefined],
    ['x.csv', 'xlsx'],
  ] as const) {
    it(`refuses ${output} with ${flag ?? 'no flag'}`, () => {
      assert.throws(() => toExportFormat(output, flag), { code: 'EXPORT_FORMAT' })
    })
  }
})
