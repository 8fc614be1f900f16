import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { PROGRAM } from '../src/cli/testing/program.ts'

const ROOT = resolve(import.meta.dirname, '..')
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

/** The shell blocks of the README, in their order. */
const blocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text)

/** Blocks that set regatta up or run these very tests; CI runs them as they are, in a clean clone. */
const isOfRepository = (block: string): boolean => /^(git clone|npm )/m.test(block)

describe('README', () => {
  it('has the two commands that do everything', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }
    const commands = blocks.filter(isOfRepository).flatMap(block => [...block.matchAll(/^npm (?:run )?([a-z:]+)/gm)])
    const names = commands.map(([, name = '']) => name)
    assert.ok(names.includes('demo') && names.includes('test'), names.join())
    for (const name of names) assert.ok(name in scripts, `npm run ${name} is not a script`)
  })

  it('has blocks that run, one after the other, and stop what they start', { timeout: 240_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'regatta-readme-'))
    try {
      const bin = join(folder, 'bin')
      mkdirSync(bin)
      writeFileSync(join(bin, 'regatta'), `#!/bin/sh\nexec ${process.execPath} ${PROGRAM} "$@"\n`)
      chmodSync(join(bin, 'regatta'), 0o755)
      const story = blocks.filter(block => !isOfRepository(block)).join('\n')
      assert.match(story, /regatta deploy/)
      const { status, stdout, stderr } = spawnSync('bash', ['-euxo', 'pipefail', '-c', story], {
        cwd: folder,
        env: {
          ...process.env,
          PATH: `${bin}:${process.env['PATH']}`,
          NO_COLOR: '1',
          // So that it runs beside whatever uses the usual ports.
          REGATTA_TARGETS_LOCAL_HTTP_PORT: '0',
          REGATTA_TARGETS_LOCAL_GRPC_PORT: '0',
          REGATTA_TARGETS_LOCAL_CONTROL_PORT: '0',
        },
        encoding: 'utf8',
        timeout: 220_000,
      })
      assert.equal(status, 0, `${stdout}\n${stderr}`)
    } finally {
      // Where the story ended early, what it had started is stopped.
      spawnSync(process.execPath, [PROGRAM, 'down', '--cwd', join(folder, 'forecast')])
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
