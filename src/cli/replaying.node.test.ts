import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, describe, it } from 'node:test'
import { main } from './app.ts'
import { toInstallation } from './installation.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'regatta-replay-'))
after(() => rmSync(folder, { recursive: true }))

interface Shown {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function run(...argv: readonly string[]): Promise<Shown> {
  const shown = { out: '', err: '' }
  const code = await main(argv, {
    out: text => {
      shown.out += text
    },
    err: text => {
      shown.err += text
    },
    terminal: undefined,
    colours: false,
    env: {},
    cwd: folder,
    signal: new AbortController().signal,
    clock: () => 0,
    installation: toInstallation(ROOT, true, process.execPath),
  })
  return { code, ...shown }
}

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
/** Pairs on which B's error is smaller by about `gain`. */
const writePairs = (name: string, count: number, gain: number): void =>
  write(
    name,
    Array.from({ length: count }, (_, i) => {
      const off = Math.sin(i * i)
      const toRow = (variant: string, prediction: number): string =>
        JSON.stringify({ request: `r${i}`, variant, prediction, truth: 5 })
      return `${toRow('a', 7 + off)}\n${toRow('b', 7 - gain + Math.cos(i * i))}\n`
    }).join(''),
  )

describe('regatta race --from', () => {
  write('regatta.yaml', 'name: m\nrace: { minGain: 0.5 }\n')
  write('plain.yaml', 'name: m\nrace: {}\n')
  writePairs('better.ndjson', 300, 1)
  writePairs('few.ndjson', 50, 1)

  it('says in words what the race would have said', async () => {
    const { code, out, err } = await run('race', '--from', 'better.ndjson')
    assert.equal(code, 0, err)
    assert.match(out, /^VARIANT {2}MEAN LOSS \(squared\)\nA a +4\.\d+\nB b +1\.\d+\nimprovement of B 2\.\d+ \[/)
    assert.match(
      out,
      /\npromote-B: b is better: its squared error is \d+–\d+ % lower; 300 labels; valid however often you look\n/,
    )
    assert.match(out, /\nfirst decided promote-B after 100 labels on \[/)
  })

  it('exits with 3 while there is no verdict, and says what is missing', async () => {
    const { code, out } = await run('race', '--from', 'few.ndjson')
    assert.equal(code, 3)
    assert.match(out, /\nwarming-up: Too early to decide: 100 pairs wanted, 50 found\nB has the smaller loss/)
    assert.match(out, /\na gain of 0\.5 is found after about \d+ labels, very likely within \d+\n/)
  })

  it('prints a JSON line at the end, and with --every along the way', async () => {
    const keys = [
      'schema',
      'design',
      'estimate',
      'se',
      'n',
      'lower',
      'upper',
      'p',
      'logE',
      'verdict',
      'gates',
      'labels',
    ]
    const { code, out } = await run(
      'race',
      '--from',
      'better.ndjson',
      '--config',
      'plain.yaml',
      '--json',
      '--every',
      '100',
    )
    const lines = out
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    assert.equal(code, 0)
    assert.deepEqual(
      lines.map(({ n }) => n),
      [100, 200, 300],
    )
    for (const line of lines) for (const key of keys) assert.ok(key in line, key)
    const end = await run('race', '--from', 'better.ndjson', '--config', 'plain.yaml', '--json')
    assert.deepEqual(JSON.parse(end.out).lower, lines.at(-1).lower)
  })

  it('draws the race', async () => {
    const { code } = await run('race', '--from', 'better.ndjson', '--svg', 'race.svg')
    const svg = readFileSync(join(folder, 'race.svg'), 'utf8')
    assert.equal(code, 0)
    assert.match(
      svg,
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[\s\S]*<polygon class="band" points="[\d., ]+"\/>[\s\S]*<\/svg>\n$/,
    )
    assert.match(svg, /Improvement of b over a with its 95 % confidence sequence: promote-B/)
    assert.doesNotMatch(svg, /NaN|Infinity|undefined/)
  })

  it('tells of rows without a partner', async () => {
    write(
      'lone.ndjson',
      `${readFileSync(join(folder, 'few.ndjson'), 'utf8')}{"request":"lone","variant":"a","loss":1}\n`,
    )
    assert.match((await run('race', '--from', 'lone.ndjson')).err, /^note: 1 rows have no partner/)
  })

  const wrong: readonly (readonly [string, string, readonly string[], RegExp])[] = [
    [
      'a line that is no JSON',
      '{"request":"1","variant":"a","loss":1}\n\nnonsense\n',
      [],
      /OUTCOME_ROW\] Cannot read a row: .*bad\.ndjson:3\)/,
    ],
    [
      'a row without a variant',
      '{"request":"1","loss":1}\n',
      [],
      /OUTCOME_ROW\] Cannot read variant of a row.*bad\.ndjson:1\)/,
    ],
    ['a number of labels that is none', '', ['--every', '0'], /EVERY\] Cannot read "0"/],
    ['--watch beside it', '', ['--watch'], /--from with --watch/],
    ['a config that is not there', '', ['--config', 'other.yaml'], /other\.yaml/],
  ]
  for (const [name, text, flags, message] of wrong)
    it(`refuses ${name}`, async () => {
      write('bad.ndjson', text)
      const { code, err } = await run('race', '--from', 'bad.ndjson', ...flags)
      assert.equal(code, 2)
      assert.match(err, message)
    })

  it('refuses a file that is not there, and its flags without it', async () => {
    const missing = await run('race', '--from', 'none.ndjson')
    assert.deepEqual([missing.code, /REPLAY_FILE\].*none\.ndjson/.test(missing.err)], [2, true])
    const alone = await run('race', '--every', '5')
    assert.deepEqual([alone.code, /without --from/.test(alone.err)], [2, true])
  })

  it('names the line of a row of CSV that it cannot read', async () => {
    write('bad.csv', 'request,variant,loss\n1,a,0.5\n1,b,x\n')
    const { code, err } = await run('race', '--from', 'bad.csv')
    assert.equal(code, 2)
    assert.match(err, /OUTCOME_ROW\] Cannot read loss of a row.*found "x".*bad\.csv:3\)/)
  })

  it('has no verdict of an empty file', async () => {
    write('empty.ndjson', '')
    const { code, out } = await run('race', '--from', 'empty.ndjson', '--json')
    assert.equal(code, 3)
    assert.deepEqual([JSON.parse(out).n, JSON.parse(out).lower], [0, null])
  })
})
