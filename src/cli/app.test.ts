import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { main, proposeWords, VERBS } from './app.ts'
import { toInstallation, VERSION } from './installation.ts'
import type { World } from './world.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')

interface Shown {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function run(...argv: readonly string[]): Promise<Shown> {
  const shown = { out: '', err: '' }
  const code = await main(argv, makeWorld(shown))
  return { code, ...shown }
}

function makeWorld(shown: { out: string; err: string }): World {
  return {
    out: text => {
      shown.out += text
    },
    err: text => {
      shown.err += text
    },
    terminal: undefined,
    colours: false,
    env: {},
    cwd: join(ROOT, 'docs'),
    signal: new AbortController().signal,
    clock: () => 0,
    installation: toInstallation(ROOT, true, process.execPath),
  }
}

describe('main()', () => {
  for (const name of Object.keys(VERBS)) {
    it(`${name} --help shows how it is used`, async () => {
      const { code, out } = await run(name, '--help')
      assert.equal(code, 0)
      assert.match(out, new RegExp(`^USAGE\n  regatta ${name} `))
      assert.match(out, /--json/)
    })
  }

  it('--version prints the version of package.json', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
    assert.equal(VERSION, version)
    assert.equal((await run('--version')).out, `${version}\n`)
  })

  it('is started by the Node that package.json asks for', () => {
    const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { engines: { node: string } }
    const [, major = '', minor = ''] = /^>=(\d+)\.(\d+)$/.exec(engines.node) ?? []
    const fits = `const fits = major > ${major} || (major === ${major} && minor >= ${minor})\n`
    assert.ok(readFileSync(join(ROOT, 'bin', 'regatta.js'), 'utf8').includes(fits))
  })

  const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown verb', ['trian'], /^error\[USAGE\] .*train[\s\S]*try: regatta --help/],
    ['an unknown flag', ['train', '--sett', 'a=1'], /^error\[USAGE\] .*set[\s\S]*try: regatta train --help/],
    ['a missing argument', ['trace'], /^error\[USAGE\] .*prediction/],
    ['an argument too many', ['status', 'now'], /^error\[USAGE\] /],
    ['an id that is none', ['trace', 'x'], /error\[PREDICTION_ID\].*"x"[\s\S]*try: /],
    ['a name that is none', ['deploy', '--challenger', 'B', '--shadow'], /error\[VARIANT_NAME\].*"B"[\s\S]*try: /],
    ['a shell that it does not know', ['completion', 'csh'], /error\[SHELL\].*"csh"/],
    ['a number of lines that is none', ['logs', '--lines', 'all'], /error\[LINES\].*"all"/],
    ['a scope that is none', ['token', 'all'], /error\[SCOPE\].*"all"/],
    ['--set without a value', ['train', '--set', 'hidden'], /error\[SET\].*hidden[\s\S]*try: /],
    ['--shadow without --challenger', ['deploy', '--shadow'], /./],
    ['an age that is none', ['prune', '--older-than', 'soon'], /./],
    ['a number that is none', ['prune', '--keep', 'few'], /"few"/],
    ['serve without a model', ['serve'], /without --model-base-path[\s\S]*try: Give that folder/],
    [
      'serve with seconds that are none',
      ['serve', '--file-system-poll-wait-seconds', 'soon'],
      /"soon" as --file-system-poll-wait-seconds/,
    ],
    ['delete without --yes', ['delete'], /./],
  ]
  for (const [name, argv, wanted] of wrong) {
    it(`ends with 2 for ${name}`, async () => {
      const { code, err, out } = await run(...argv)
      assert.equal(code, 2, err)
      assert.equal(out, '')
      assert.match(err, wanted)
    })
  }

  for (const argv of [
    ['status', '--json'],
    ['status', '--jsom', '--json'],
    ['trian', '--json'],
  ]) {
    it(`tells an error as one JSON document on stdout: ${argv.join(' ')}`, async () => {
      const { code, err, out } = await run(...argv)
      assert.equal(code, 2)
      assert.equal(err, '')
      const { error, schema } = JSON.parse(out) as { schema: string; error: { code: string; fix: string } }
      assert.equal(schema, 'regatta/error/v1')
      assert.match(error.code, /^[A-Z_]+$/)
      assert.notEqual(error.fix, null)
    })
  }
})

describe('proposeWords()', () => {
  const propose = async (...words: readonly string[]): Promise<readonly string[]> =>
    await proposeWords(makeWorld({ out: '', err: '' }), words)

  it('proposes the verbs that begin like the word', async () => {
    assert.deepEqual([...(await propose('pr'))].sort(), ['predict', 'promote', 'prune'])
  })
  it('proposes the flags of a verb', async () => {
    assert.ok((await propose('deploy', '--sh')).includes('--shadow'))
  })
})
