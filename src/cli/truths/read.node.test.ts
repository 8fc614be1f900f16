import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parquetWriteFile } from 'hyparquet-writer'
import { type Columns, parseColumns } from './columns.ts'
import { readTruths, type TruthFormat, toFormat } from './read.node.ts'
import type { TruthRow } from './row.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'regatta-truths-'))
})
after(async () => await rm(folder, { recursive: true, force: true }))

async function read(format: TruthFormat, text: string, columns?: Columns): Promise<readonly TruthRow[]> {
  const path = join(folder, `file.${format}`)
  await writeFile(path, text)
  return await Array.fromAsync(readTruths({ path, format, columns }))
}

describe('readTruths()', () => {
  const truths = [
    { prediction: 'p/0', value: 1.5 },
    { prediction: 'p/1', value: -2, revision: 1, source: 'audit' },
  ]

  it('reads the same of an array, of lines, of CSV', async () => {
    const csv = 'prediction,value,revision,source\np/0,1.5,,\np/1,-2,1,audit\n'
    const rows = [
      await read('json', JSON.stringify(truths, null, 1)),
      await read('ndjson', truths.map(truth => JSON.stringify(truth)).join('\n\n')),
      await read('csv', csv),
    ]
    assert.deepEqual(
      rows.map(found => found.map(row => ('truth' in row ? row.truth : row))),
      [truths, truths, truths],
    )
    assert.deepEqual(
      rows.map(found => found.map(({ place }) => place)),
      [
        ['item 1', 'item 2'],
        ['line 1', 'line 3'],
        ['line 2', 'line 3'],
      ],
    )
  })

  it('reads Parquet: texts, numbers, instants, lists, of several row groups', async () => {
    const path = join(folder, 'file.parquet')
    const count = 2500
    parquetWriteFile({
      filename: path,
      rowGroupSize: 1000,
      columnData: [
        { name: 'series', data: Array.from({ length: count }, (_, at) => `s${at}`) },
        { name: 'ts', data: Array.from({ length: count }, (_, at) => new Date(Date.UTC(2026, 0, 31) + at)) },
        { name: 'y', data: Array.from({ length: count }, (_, at) => at / 2) },
        { name: 'revision', data: BigInt64Array.from({ length: count }, () => 3n), type: 'INT64' },
        { name: 'note', data: Array.from({ length: count }, () => 'x') },
      ],
    })
    const rows = await Array.fromAsync(
      readTruths({ path, format: 'parquet', columns: parseColumns('value=y, at = ts') }),
    )
    assert.equal(rows.length, count)
    assert.deepEqual(rows.at(-1), {
      place: 'row 2500',
      truth: { series: 's2499', at: '2026-01-31T00:00:02.499Z', value: 1249.5, revision: 3 },
    })
  })

  it('takes columns of other names, and leaves others alone', async () => {
    const columns = parseColumns('value=y,at=ts')
    const wanted = { series: '7', at: '2026-01-31', value: 'spam' }
    const [fromCsv] = await read('csv', 'ts;series;y;weather\n2026-01-31;7;spam;rain\n', columns)
    assert.deepEqual(fromCsv, { place: 'line 2', truth: wanted })
    const object = { ts: '2026-01-31', series: '7', y: 'spam', weather: 'rain' }
    const [fromJson] = await read('json', JSON.stringify([object]), columns)
    assert.deepEqual(fromJson, { place: 'item 1', truth: wanted })
  })

  it('names a row whose value is missing or endless, and goes on', async () => {
    const rows = await read('csv', 'prediction,value\na,\nb,NaN\nc,-inf\nd,1e999\ne,1\n')
    assert.deepEqual(
      rows.map(row => ('problem' in row ? `${row.place}: ${row.problem}` : row.place)),
      [
        'line 2: it has no value',
        'line 3: column "value" is no finite number',
        'line 4: column "value" is no finite number',
        'line 5: column "value" is no finite number',
        'line 6',
      ],
    )
    const lines = await read('ndjson', '{"prediction":"a","value":NaN}\n{"pre\n{"prediction":"a","value":1}\n')
    assert.match(lines.map(row => ('problem' in row ? row.problem : 'good')).join('; '), /NaN.*; it is no JSON.*; good/)
  })

  it('reads booleans and lists of CSV', async () => {
    const rows = await read('csv', 'prediction,value\na,true\nb,"[0.1, 0.9]"\n')
    assert.deepEqual(
      rows.map(row => ('truth' in row ? row.truth : row)),
      [
        { prediction: 'a', value: true },
        { prediction: 'b', value: [0.1, 0.9] },
      ],
    )
  })

  const broken: readonly (readonly [string, () => Promise<unknown>, object])[] = [
    [
      'a table without a value',
      () => read('csv', 'prediction,values\np,1\n'),
      { code: 'TRUTH_COLUMNS', message: /Cannot find a column "value": .*"values".*file\.csv/, fix: /value=values/ },
    ],
    [
      'a table that says nothing of what it is about',
      () => read('csv', 'series,value\ns,1\n'),
      { code: 'TRUTH_COLUMNS', message: /"prediction", or "series" and "at"/ },
    ],
    [
      'a column that is not there',
      () => read('csv', 'prediction,value\np,1\n', { value: 'y' }),
      { code: 'TRUTH_COLUMNS', message: /column "y"/ },
    ],
    ['text that is no Parquet', () => read('parquet', 'hello, hello, hello'), { code: 'PARQUET' }],
    ['CSV that does not end', () => read('csv', 'prediction,value\n"p,1\n'), { code: 'CSV', message: /line 2/ }],
    [
      'a file that is not there',
      () => Array.fromAsync(readTruths({ path: join(folder, 'none'), format: 'json', columns: undefined })),
      { code: 'TRUTH_FILE', message: /none/ },
    ],
  ]
  for (const [name, act, wanted] of broken) {
    it(`refuses ${name}`, async () => await assert.rejects(act(), wanted))
  }
})

describe('toFormat()', () => {
  const cases = [
    ['a.json', undefined, 'json'],
    ['a.JSONL', undefined, 'ndjson'],
    ['/x.y/a.csv', undefined, 'csv'],
    ['a.parquet', undefined, 'parquet'],
    ['-', undefined, 'json'],
    ['-', 'csv', 'csv'],
    ['a.txt', 'ndjson', 'ndjson'],
  ] as const
  for (const [file, flag, wanted] of cases) {
    it(`takes ${file} with ${flag ?? 'no flag'} for ${wanted}`, () => assert.equal(toFormat(file, flag), wanted))
  }
  for (const [file, flag] of [
    ['a.txt', undefined],
    ['a.csv', 'xlsx'],
    ['-', 'parquet'],
  ] as const) {
    it(`refuses ${file} with ${flag ?? 'no flag'}`, () => {
      assert.throws(() => toFormat(file, flag), { code: 'TRUTH_FORMAT' })
    })
  }
})

describe('parseColumns()', () => {
  for (const text of ['value', 'valu=y', 'value=', 'value=a,value=b', '']) {
    it(`refuses "${text}"`, () => assert.throws(() => parseColumns(text), { code: 'TRUTH_COLUMNS' }))
  }
})
