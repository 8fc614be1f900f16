import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { access, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { parseProject } from '../config/index.ts'
import { RegattaError } from '../core/errors.ts'
import { readProcessId } from '../core/process.node.ts'
import { toDigest } from '../oci/index.ts'
import { listRuns, readRunByDigest, runTraining } from './index.ts'
import { toRunsFolder } from './paths.ts'
import { toLinearModel } from './testing/onnx-model.ts'
import { LEAVE_MODEL, openWorkshop, type Wish, type Workshop } from './testing/workshop.ts'

const model = toLinearModel({ weight: 2 })

describe('runTraining()', () => {
  it('keeps all that made the model, and tells of it', async () => {
    await using workshop = await openWorkshop()
    await writeFile(join(workshop.folder, 'a.csv'), '1,2\n')
    const command = `echo '{"epoch":1,"loss":4,"lr":0.1}'; echo hello; echo '{"epoch":2,"loss":1}'; echo oh >&2; ${LEAVE_MODEL}`
    const run = await workshop.train(command, {
      clock: () => 1000,
      set: { hidden: '200' },
      train: { params: { hidden: 100, name: 'x' }, data: ['*.csv'] },
    })
    const { environment, id, signature, ...record } = run.record
    assert.match(id, /^[0-9a-f]{32}$/)
    assert.ok(environment.cpus >= 1)
    assert.deepEqual(
      signature?.inputs.map(({ name }) => name),
      ['x'],
    )
    const files = [{ path: 'model.onnx', digest: toDigest(model), sizeBytes: model.length }]
    assert.deepEqual(record, {
      schema: 'regatta/run/v1',
      model: 'forecast',
      state: 'done',
      code: null,
      reason: null,
      command,
      params: { hidden: 200, name: 'x' },
      metrics: {
        loss: [
          { step: 1, value: 4, at: 1000 },
          { step: 2, value: 1, at: 1000 },
        ],
        lr: [{ step: 1, value: 0.1, at: 1000 }],
      },
      data: [{ path: 'a.csv', digest: toDigest(new TextEncoder().encode('1,2\n')), sizeBytes: 4 }],
      output: files,
      git: null,
      exitCode: 0,
      signal: null,
      startedAt: 1000,
      endedAt: 1000,
      logTail: [],
      notes: [],
    })
    assert.deepEqual(new Uint8Array(await readFile(join(run.outputFolder, 'model.onnx'))), model)
    const log = await readFile(join(run.outputFolder, '..', 'log.txt'), 'utf8')
    assert.deepEqual(log.trim().split('\n').length, 4)
    assert.deepEqual(await readRunByDigest(workshop.layout, run.digest), { record: run.record, digest: run.digest })
    assert.deepEqual(await listRuns(workshop.folder, workshop.layout, Date.now), [run])
    const kinds = workshop.events.map(event => (event.kind === 'output' ? `${event.stream} ${event.line}` : event.kind))
    assert.deepEqual(kinds.sort(), ['finished', 'metric', 'metric', 'started', 'stderr oh', 'stdout hello'])
    assert.equal(workshop.events[0]?.kind, 'started')
    assert.equal(workshop.events.at(-1)?.kind, 'finished')
  })

  it('tells the command its parameters, its folder and its Node, and keeps the token from it', async () => {
    await using workshop = await openWorkshop()
    const told =
      '[process.env.REGATTA_PARAMS, process.env.REGATTA_PARAM_rate, process.env.REGATTA_TOKEN, process.execPath]'
    const script = `process.stdout.write(JSON.stringify(${told}))`
    await workshop.train(`node -e '${script}' && ${LEAVE_MODEL}`, {
      train: { params: { rate: 0.5, 'odd name': 'a "b"' } },
      env: { PATH: '/usr/bin:/bin', REGATTA_TOKEN: 'secret' },
    })
    const line = workshop.events.find(event => event.kind === 'output')?.line ?? ''
    assert.deepEqual(JSON.parse(line), ['{"rate":0.5,"odd name":"a \\"b\\""}', '0.5', null, process.execPath])
  })

  it('takes the model from train.output, but not one that lay there before', async () => {
    await using workshop = await openWorkshop()
    await mkdir(join(workshop.folder, 'model'))
    await writeFile(join(workshop.folder, 'model', 'model.onnx'), model)
    const stale = await workshop.train('true')
    assert.equal(stale.record.code, 'RUN_NO_MODEL')
    assert.match(stale.record.reason ?? '', /older than this run/)
    const fresh = await workshop.train('cp linear.onnx model/model.onnx; echo 1 > model/labels.txt')
    assert.deepEqual(
      fresh.record.output.map(({ path }) => path),
      ['labels.txt', 'model.onnx'],
    )
    await access(join(fresh.outputFolder, 'labels.txt'))
  })

  const failures: readonly [string, string, Wish, object][] = [
    ['a command that fails', 'echo why; exit 3', {}, { code: 'RUN_COMMAND', exitCode: 3, logTail: ['why'] }],
    ['a program that is not there', 'no-such-program', {}, { code: 'RUN_COMMAND', exitCode: 127 }],
    ['a command that is killed', 'kill -9 $$', {}, { code: 'RUN_COMMAND', exitCode: null, signal: 'SIGKILL' }],
    [
      'a command that cannot start',
      'true',
      { set: { a: 'x'.repeat(200_000) } },
      { code: 'RUN_COMMAND', exitCode: null },
    ],
    ['no model', 'echo 1 > "$REGATTA_OUTPUT/other.bin"', {}, { code: 'RUN_NO_MODEL', exitCode: 0 }],
    ['a file that is not ONNX', 'echo {} > "$REGATTA_OUTPUT/model.onnx"', {}, { code: 'ONNX_FORMAT', exitCode: 0 }],
    ['a folder in place of the model', 'mkdir "$REGATTA_OUTPUT/model.onnx"', {}, { code: 'RUN_NO_MODEL' }],
    ['a link in the output', `${LEAVE_MODEL}; ln -s / "$REGATTA_OUTPUT/all"`, {}, { code: 'RUN_OUTPUT' }],
    ['a pipe in the output', `${LEAVE_MODEL}; mkfifo "$REGATTA_OUTPUT/p"`, {}, { code: 'RUN_OUTPUT' }],
  ]
  for (const [name, command, wish, wanted] of failures) {
    it(`keeps a run with ${name} as failed`, async () => {
      await using workshop = await openWorkshop()
      const { record } = await workshop.train(command, { train: { params: { a: '' } }, ...wish })
      assert.partialDeepStrictEqual(record, { state: 'failed', output: [], signature: null, ...wanted })
      assert.ok((record.reason ?? '').length > 10, String(record.reason))
      const [listed] = await listRuns(workshop.folder, workshop.layout, Date.now)
      assert.deepEqual(listed?.record, record)
    })
  }

  const refused: readonly [string, Wish, string][] = [
    ['a parameter that does not exist', { set: { hiden: 1 } }, 'PARAM_UNKNOWN'],
    ['a parameter of another type', { set: { hidden: 'many' } }, 'PARAM_VALUE'],
    ['a data file that does not exist', { train: { data: ['none.csv'] } }, 'TRAIN_DATA'],
    ['a pattern that matches nothing', { train: { data: ['*.csv'] } }, 'TRAIN_DATA'],
    ['a folder as data', { train: { data: ['.regatta'] } }, 'TRAIN_DATA'],
  ]
  for (const [name, wish, code] of refused) {
    it(`refuses ${name} before it starts anything`, async () => {
      await using workshop = await openWorkshop()
      const train = { params: { hidden: 100 }, ...wish.train }
      await assert.rejects(workshop.train('touch started', { ...wish, train }), { name: 'UsageError', code })
      await assert.rejects(access(join(workshop.folder, 'started')))
      assert.deepEqual(workshop.events, [])
    })
  }

  it('digests each file once and in the order of paths, whatever names it', async () => {
    await using workshop = await openWorkshop()
    const data = join(workshop.folder, 'data')
    await mkdir(join(data, 'deep'), { recursive: true })
    for (const path of ['b.csv', 'a[1].csv', 'deep/c.csv', 'notes.txt']) await writeFile(join(data, path), path)
    await symlink('b.csv', join(data, 'd.csv'))
    const { record } = await workshop.train(LEAVE_MODEL, {
      train: { data: ['data/**/*.csv', 'data/b.csv', 'data/a[1].csv'] },
    })
    const wanted = {
      'data/a[1].csv': 'a[1].csv',
      'data/b.csv': 'b.csv',
      'data/d.csv': 'b.csv',
      'data/deep/c.csv': 'deep/c.csv',
    }
    assert.deepEqual(
      record.data.map(({ digest, path }) => [path, digest]),
      Object.entries(wanted).map(([path, content]) => [path, toDigest(new TextEncoder().encode(content))]),
    )
  })

  it('ends the command where the disk is full, and the run is lost', async t => {
    await using workshop = await openWorkshop()
    const { folder, layout } = workshop
    const runs = toRunsFolder(folder)
    await mkdir(runs)
    const mounted = await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', runs]).catch(
      error => error,
    )
    if (mounted instanceof Error) return t.skip(`cannot mount a small tmpfs: ${mounted.message}`)
    try {
      let pid = 0
      const onEvent: Wish['onEvent'] = event => {
        if (event.kind === 'output' && pid === 0) pid = Number(event.line)
      }
      const command = 'echo $$; exec yes "a line that fills the disk"'
      await assert.rejects(workshop.train(command, { onEvent }), { code: 'DISK_FULL', fix: /Make room/ })
      assert.ok(pid > 0 && !isAlive(pid))
      const [run] = await listRuns(folder, layout, Date.now)
      assert.equal(run?.record.code, 'RUN_LOST')
    } finally {
      await promisify(execFile)('umount', [runs])
    }
  })

  it('refuses a project without a training command', async () => {
    await using workshop = await openWorkshop()
    const { folder, layout } = workshop
    const project = parseProject('name: forecast', { folder, env: {} })
    const options = { project, set: {}, layout, clock: Date.now, env: {}, node: process.execPath, onEvent: () => {} }
    await assert.rejects(runTraining(options, new AbortController().signal), {
      name: 'UsageError',
      code: 'TRAIN_COMMAND',
    })
  })

  it('starts nothing where it is interrupted already', async () => {
    await using workshop = await openWorkshop()
    const signal = AbortSignal.abort(new RegattaError('INTERRUPTED', 'Ctrl-C'))
    await assert.rejects(workshop.train('true', { signal }), { code: 'INTERRUPTED' })
    await assert.rejects(access(toRunsFolder(workshop.folder)))
  })

  it('stops the whole group when it is interrupted, and keeps the run', async () => {
    await using workshop = await openWorkshop()
    const { record, pids } = await interrupt(workshop, 'trap "echo bye; exit 0" TERM; sleep 60 & echo $! $$; wait')
    assert.partialDeepStrictEqual(record, { state: 'interrupted', code: 'RUN_STOPPED', exitCode: 0 })
    assert.equal(record.logTail.at(-1), 'bye')
    assert.deepEqual(pids.filter(isAlive), [])
  })

  it('kills a group that does not heed SIGTERM after its grace', async () => {
    await using workshop = await openWorkshop()
    const { record, pids } = await interrupt(workshop, 'trap "" TERM; sleep 60 & echo $! $$; wait; sleep 60')
    assert.partialDeepStrictEqual(record, { state: 'interrupted', code: 'RUN_STOPPED', signal: 'SIGKILL' })
    assert.deepEqual(pids.filter(isAlive), [])
  })

  it('leaves no process of a command that ended before its children', async () => {
    await using workshop = await openWorkshop()
    await workshop.train(`sleep 60 & echo $!; ${LEAVE_MODEL}`)
    const pid = Number(workshop.events.find(event => event.kind === 'output')?.line)
    assert.ok(pid > 0 && !isAlive(pid))
  })

  it('names metrics that are not finite', async () => {
    await using workshop = await openWorkshop()
    const { record } = await workshop.train(
      `for i in 1 2 3; do echo "{\\"epoch\\":$i,\\"loss\\":NaN,\\"lr\\":0.1}"; done; ${LEAVE_MODEL}`,
    )
    assert.deepEqual(Object.keys(record.metrics), ['lr'])
    assert.deepEqual(record.notes, ['metric "loss": 3 values were NaN or infinite'])
    const shown = workshop.events.filter(event => event.kind === 'output')
    assert.deepEqual(
      shown.map(event => event.line),
      ['{"epoch":1,"loss":NaN,"lr":0.1}'],
    )
  })

  it('takes metrics at each of 1000 epochs in their order', async () => {
    await using workshop = await openWorkshop()
    const script = 'for (let epoch = 1; epoch <= 1000; epoch++) console.log(JSON.stringify({ epoch, loss: epoch / 8 }))'
    const { record } = await workshop.train(`node -e '${script}'; ${LEAVE_MODEL}`)
    assert.deepEqual(
      record.metrics['loss']?.map(({ step, value }) => [step, value]),
      Array.from({ length: 1000 }, (_, index) => [index + 1, (index + 1) / 8]),
    )
    assert.equal(workshop.events.filter(event => event.kind === 'metric').length, 1000)
  })

  it('records the commit and whether files differ from it', async () => {
    await using workshop = await openWorkshop()
    const git = 'git -c user.name=a -c user.email=a@b -c commit.gpgsign=false'
    await workshop.train(
      `printf 'linear.onnx\\n' > .gitignore; git init -q . && git add .gitignore && ${git} commit -qm x`,
    )
    const clean = await workshop.train(LEAVE_MODEL)
    assert.match(clean.record.git?.commit ?? '', /^[0-9a-f]{40}$/)
    assert.equal(clean.record.git?.dirty, false)
    await writeFile(join(workshop.folder, 'new.py'), '')
    const dirty = await workshop.train(LEAVE_MODEL)
    assert.deepEqual(dirty.record.git, { commit: clean.record.git?.commit, dirty: true })
  })
})

/** Trains with a command that prints numbers of processes, and interrupts it then. */
async function interrupt(workshop: Workshop, command: string) {
  const stop = new AbortController()
  let pids: number[] = []
  const run = await workshop.train(command, {
    signal: stop.signal,
    onEvent(event) {
      if (event.kind !== 'output' || pids.length > 0) return
      pids = event.line.split(' ').map(Number)
      stop.abort(new RegattaError('INTERRUPTED', 'Ctrl-C'))
    },
  })
  assert.equal(pids.length, 2)
  return { record: run.record, pids }
}

const isAlive = (pid: number): boolean => readProcessId(pid) !== undefined
