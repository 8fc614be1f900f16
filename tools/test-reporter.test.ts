import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, describe, it } from 'node:test'

const REPORTER = join(import.meta.dirname, 'test-reporter.ts')
const folder = mkdtempSync(join(tmpdir(), 'regatta-reporter-'))
after(() => rmSync(folder, { recursive: true }))

/** The closing line and the exit code of test files with these texts. */
async function runFiles(
  texts: readonly string[],
  { env = {}, limitMs = 60_000 }: { readonly env?: NodeJS.ProcessEnv; readonly limitMs?: number } = {},
): Promise<readonly [line: string | undefined, code: number | null]> {
  const files = texts.map((text, at) => {
    const file = join(folder, `${at}.test.js`)
    writeFileSync(file, `const { it, describe, before } = require('node:test');\n${text}`)
    return file
  })
  // What runs this test tells its own tests apart by such a variable.
  const { CI, NODE_TEST_CONTEXT, ...inherited } = process.env
  const child = spawn(
    process.execPath,
    ['--test', `--test-timeout=${limitMs}`, '--test-concurrency=2', `--test-reporter=${REPORTER}`, ...files],
    { env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const code = new Promise<number | null>(resolve => child.once('close', resolve))
  const out = await text(child.stdout)
  return [out.trimEnd().split('\n').at(-1), await code]
}

const GOOD = "it('good', () => {})"
// What is skipped, or to be written, stands in the texts of files that are run to see how the reporter counts it.
const CASES: readonly (readonly [name: string, texts: readonly string[], line: string, code: number])[] = [
  ['tests and no suites', [GOOD, `describe('s', () => { ${GOOD}; ${GOOD} })`], '3 passed, 0 failed, 0 skipped', 0],
  ['a test that fails', [`${GOOD}; it('bad', () => { throw new Error('no') })`], '1 passed, 1 failed, 0 skipped', 1],
  [
    'a suite that fails before it has tests',
    [GOOD, "describe('s', () => { throw new Error('no') })"],
    '1 passed, 1 failed, 0 skipped',
    1,
  ],
  [
    'what is skipped, a suite as one',
    [GOOD, `it.skip('s', () => {}); describe('s', { skip: true }, () => { ${GOOD} })`],
    '1 passed, 0 failed, 2 skipped',
    0,
  ],
  ['a test that is still to be written as skipped', [`${GOOD}; it.todo('t')`], '1 passed, 0 failed, 1 skipped', 0],
  ['a file without tests as failed', [GOOD, ''], '1 passed, 1 failed, 0 skipped', 1],
  ['a file that is no JavaScript', [GOOD, ')'], '1 passed, 1 failed, 0 skipped', 1],
  [
    'a file that is killed',
    [GOOD, "it('k', () => process.kill(process.pid, 'SIGKILL'))"],
    '1 passed, 1 failed, 0 skipped',
    1,
  ],
  [
    'a file that ends as if all were well before its tests do',
    [GOOD, `it('e', () => process.exit(0)); ${GOOD}`],
    '1 passed, 1 failed, 0 skipped',
    1,
  ],
  [
    'tests that a file imports, whose own file is no file of tests',
    [
      "const told = __dirname + \"/told.js\"; require('node:fs').writeFileSync(told, \"require('node:test').it('told', () => {})\"); require(told)",
    ],
    '1 passed, 0 failed, 0 skipped',
    0,
  ],
  ['nothing at all as a failure', ["it.skip('s', () => {})"], '0 passed, 0 failed, 1 skipped', 1],
]

/** What would never end by itself. */
const ENDLESS: readonly (readonly [name: string, text: string])[] = [
  ['a test that waits for ever', "it('w', () => new Promise(() => setInterval(() => {}, 9)))"],
  ['a file that is busy for ever', "it('b', () => { for (;;); })"],
  ['a file that something keeps open', `setInterval(() => {}, 9); ${GOOD}`],
]

describe('the closing line of the tests counts', () => {
  for (const [name, texts, line, code] of CASES)
    it(name, async () => assert.deepEqual(await runFiles(texts), [line, code]))

  for (const [name, text] of ENDLESS)
    it(`${name} as failed, in bounded time`, async () => {
      const [line, code] = await runFiles([text], { limitMs: 200 })
      // A machine that is slow may not come to the tests at all.
      assert.match(String(line), /^[01] passed, 1 failed, 0 skipped$/)
      assert.equal(code, 1)
    })

  it('what is skipped as a failure, where everything has to be there', async () => {
    assert.deepEqual(await runFiles([GOOD, "it.skip('s', () => {})"], { env: { CI: 'true' } }), [
      '1 passed, 0 failed, 1 skipped',
      1,
    ])
  })
})
