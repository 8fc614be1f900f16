import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, describe, it } from 'node:test'
import { PROGRAM } from '../../src/cli/testing/program.ts'
import { toOutcomes } from './outcomes.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'regatta-replay-example-'))
after(() => rmSync(folder, { recursive: true }))
const forecast = readFileSync(join(import.meta.dirname, 'regatta.yaml'), 'utf8')
writeFileSync(join(folder, 'forecast.yaml'), forecast)
writeFileSync(join(folder, 'independent.yaml'), forecast.replace('forecast', 'regression'))

function replay(gain: number, config: string, ...flags: readonly string[]) {
  const rows = [...toOutcomes(4000, gain, 1)].map(row => `${JSON.stringify(row)}\n`).join('')
  writeFileSync(join(folder, 'outcomes.ndjson'), rows)
  const command = [PROGRAM, 'race', '--from', 'outcomes.ndjson', '--config', config, ...flags]
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8' })
  return { status, stdout, stderr }
}

describe('a race of two forecasts of one series', () => {
  it('finds the better one, and draws what docs/racing.md shows', () => {
    const { status, stdout, stderr } = replay(0.4, 'forecast.yaml', '--svg', 'racing.svg')
    assert.equal(status, 0, stderr)
    assert.match(stdout, /\npromote-B: b is better: its squared error is \d+–\d+ % lower; 4000 labels/)
    const shown = readFileSync(join(ROOT, 'docs', 'racing.svg'), 'utf8')
    assert.equal(readFileSync(join(folder, 'racing.svg'), 'utf8'), shown)
  })

  it('names no winner of two that are equally good, as a race that takes labels for independent does', () => {
    const dependent = replay(0, 'forecast.yaml')
    assert.deepEqual([dependent.status, /\nkeep-racing: /.test(dependent.stdout)], [3, true])
    const independent = replay(0, 'independent.yaml')
    assert.match(independent.stdout, /\nfirst decided promote-B after 289 labels /)
  })
})
