import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { toLinearModel } from '../src/train/testing/onnx-model.ts'
import { makePlace, toProjectYaml } from './testing/place.ts'

describe('bad input', () => {
  const training: readonly (readonly [string, string, RegExp])[] = [
    ['a command that is not there', 'no-such-trainer --fast', /no-such-trainer/],
    [
      'a command that fails',
      `sh -c 'echo out of luck >&2; exit 7'`,
      /exit code 7[\s\S]*out of luck|out of luck[\s\S]*exit code 7/,
    ],
    ['a command that leaves no model', 'sh -c true', /model\.onnx/],
    ['a file that is not ONNX', `sh -c 'mkdir -p model; echo hello > model/model.onnx'`, /ONNX/],
  ]
  for (const [name, train, wanted] of training) {
    it(`train tells of ${name} and keeps the run as failed`, async () => {
      await using place = makePlace(toProjectYaml({ train }))
      const { code, err } = await place.run(['train'])
      assert.equal(code, 1, err)
      assert.match(err, wanted)
      const { runs } = await place.json<{ runs: readonly { state: string }[] }>(['runs'])
      assert.deepEqual(
        runs.map(({ state }) => state),
        ['failed'],
      )
    })
  }

  it('train interrupted while its command hangs ends the command and keeps the run as interrupted', async () => {
    await using place = makePlace(toProjectYaml({ train: 'touch hanging && sleep 600' }))
    const interrupt = new AbortController()
    const training = place.run(['train'], { signal: interrupt.signal })
    const deadline = Date.now() + 60_000
    while (!existsSync(join(place.folder, 'hanging')) && Date.now() < deadline) await sleep(50)
    interrupt.abort()
    const { code, err } = await training
    assert.equal(code, 130, err)
    assert.deepEqual(place.listProcesses(), [])
    const { runs } = await place.json<{ runs: readonly { state: string }[] }>(['runs'])
    assert.deepEqual(
      runs.map(({ state }) => state),
      ['interrupted'],
    )
  })

  it('every verb tells that there is no regatta.yaml', async () => {
    await using place = makePlace('')
    for (const args of [['train'], ['pack'], ['deploy'], ['status'], ['race'], ['down']]) {
      const { code, err } = await place.run(args)
      assert.notEqual(code, 0)
      assert.match(err, /regatta\.yaml/, args.join())
      assert.match(err, /try: /, args.join())
    }
  })

  it('a wrong type and an unknown key are told with line, column and the nearest key', async () => {
    await using place = makePlace('name: linear\nserve:\n  replicas: many\nrace:\n  los: squared\n')
    const { code, err } = await place.run(['status'])
    assert.equal(code, 2, err)
    assert.match(err, /regatta\.yaml:3:\d+/)
    assert.match(err, /regatta\.yaml:5:\d+/)
    assert.match(err, /loss/)
  })

  it('deploy tells of a version that is not there, and of none at all', async () => {
    await using place = makePlace()
    const none = await place.run(['deploy'])
    assert.match(none.err, /error\[VERSION_NONE\]/)
    await place.json(['train'])
    await place.json(['pack'])
    const { code, err } = await place.run(['deploy', '9'])
    assert.equal(code, 1)
    assert.match(err, /error\[VERSION_UNKNOWN\] There is no version 9 of linear/)
    assert.match(err, /Versions packed here: 1/)
  })

  it('deploy tells at once that the port of the gateway is in use', async () => {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    try {
      await using place = makePlace(toProjectYaml().replace('httpPort: 0', `httpPort: ${port}`))
      await place.json(['train'])
      await place.json(['pack'])
      const { code, err } = await place.run(['deploy'])
      assert.equal(code, 1)
      assert.match(err, new RegExp(`error\\[PORT_IN_USE\\].*${port}[\\s\\S]*try: `))
    } finally {
      server.close()
    }
  })

  it('deploy tells why a model does not load', async () => {
    await using place = makePlace()
    await place.json(['train'])
    // A model that is ONNX by its form, and whose operator no runtime has.
    const folder = join(place.folder, 'broken')
    mkdirSync(folder)
    const model = Buffer.from(toLinearModel({ weight: 1 }))
    model.write('Mux', model.indexOf('Mul'))
    writeFileSync(join(folder, 'model.onnx'), model)
    await place.json(['pack', '--model', folder])
    const { code, err } = await place.run(['deploy'])
    assert.equal(code, 1)
    assert.match(err, /error\[NOT_READY\][\s\S]*Mux/)
  })

  it('up tells of a port in use', async () => {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    try {
      await using place = makePlace(toProjectYaml().replace('controlPort: 0', `controlPort: ${port}`))
      const { code, err } = await place.run(['up', '-d'])
      assert.equal(code, 1)
      assert.match(err, new RegExp(`PORT_IN_USE.*${port}`))
    } finally {
      server.close()
    }
  })

  it('up refuses the database of a newer regatta, and of no regatta at all', async () => {
    await using place = makePlace()
    await place.json(['up', '-d'])
    await place.json(['down'])
    const path = join(place.folder, '.regatta', 'regatta.db')
    const database = new DatabaseSync(path)
    database.exec('PRAGMA user_version = 9999')
    database.close()
    const newer = await place.run(['up'])
    assert.equal(newer.code, 1)
    assert.match(newer.err, /error\[STORE_NEWER\][\s\S]*try: /)
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
    writeFileSync(path, 'this is no database, whatever it is called\n'.repeat(100))
    const other = await place.run(['up'])
    assert.equal(other.code, 1)
    assert.match(other.err, /error\[STORE_CORRUPT\]/)
  })

  it('requests that do not fit, and truths that are none, get the error of their protocol', async () => {
    await using place = makePlace()
    await place.json(['train'])
    await place.json(['pack'])
    const { gateway } = await place.json<{ gateway: string }>(['deploy'])
    const post = async (body: string): Promise<readonly [number, unknown]> => {
      const response = await fetch(`${gateway}/v1/models/linear:predict`, { method: 'POST', body })
      return [response.status, await response.json()]
    }
    for (const body of ['{"instances": [[1, 2]]}', '{"instances": [["one"]]}', '{"instances": ', '{"rows": []}']) {
      const [status, answer] = await post(body)
      assert.equal(status, 400, body)
      assert.equal(typeof (answer as { error: unknown }).error, 'string', body)
    }
    const file = join(place.folder, 'truths.ndjson')
    writeFileSync(
      file,
      '{"series": "s", "at": "2026-01-31", "value": 1}\n{"series": "s", "at": "2026-02-01", "value": null}\n',
    )
    const bad = await place.run(['truth', file])
    assert.equal(bad.code, 1)
    assert.match(bad.err, /value/)
    writeFileSync(file, '{"series": "nobody", "at": "2026-01-31", "value": 1}\n')
    assert.equal((await place.json<{ orphan: number }>(['truth', file])).orphan, 1)
  })
})
