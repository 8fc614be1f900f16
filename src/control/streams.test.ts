import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { parseRoutes } from '../core/wire/routes.ts'
import { SCHEMAS } from './api/schemas.ts'
import { Place, type Running, toBatch, toRecord } from './testing/place.ts'

let place: Place
let running: Running
beforeEach(async () => {
  place = await Place.open()
  running = await place.start()
})
afterEach(async () => await place[Symbol.asyncDispose]())

const deploy = async (version: number, more: object = {}): Promise<void> => {
  const answer = await running.json('POST', '/api/v1/deploy', {
    version,
    digest: await place.addImage(version),
    ...more,
  })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
}

/** A stream that is read piece by piece; `until` reads on until the text so far is as wanted. */
async function open(path: string): Promise<{
  head: Response
  until(wanted: RegExp): Promise<string>
  rest(): Promise<string>
  cancel(): Promise<void>
}> {
  const head = await running.call(path)
  assert.equal(head.status, 200)
  assert.ok(head.body)
  const reader = head.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const more = async (): Promise<boolean> => {
    const { done, value } = await reader.read()
    text += value ?? ''
    return !done
  }
  return {
    head,
    async until(wanted) {
      while (!wanted.test(text)) assert.ok(await more(), `the stream ended with ${text}`)
      return text
    },
    async rest() {
      while (await more());
      return text
    },
    cancel: async () => await reader.cancel(),
  }
}

/** The events of a kind, each checked against the API's description. */
function toEvents(text: string, kind: string): readonly Record<string, unknown>[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .filter(block => block.startsWith(`event: ${kind}\n`))
    .map(block => JSON.parse(block.split('\ndata: ')[1] ?? ''))
}

describe('GET /api/v1/routes', () => {
  it('says that nothing was deployed, and then gives the routes', async () => {
    const none = await running.json('GET', '/api/v1/routes')
    assert.deepEqual([none.status, SCHEMAS.Error.parse(none.body).error.code], [404, 'NOTHING_DEPLOYED'])
    await deploy(1)
    const { body } = await running.json('GET', '/api/v1/routes')
    SCHEMAS.Routes.parse(body)
    assert.equal(parseRoutes(body).variants[0]?.replicas.length, 1)
  })

  it('streams each change as a line that replaces the one before, with signs of life', async () => {
    const stream = await open('/api/v1/routes?watch=1')
    assert.equal(stream.head.headers.get('content-type'), 'application/x-ndjson')
    await stream.until(/^\n/)
    await deploy(1)
    await deploy(2, { variant: 'b', challenger: { mode: 'split', weight: 0.5 } })
    await running.json('POST', '/api/v1/promote', {})
    const text = await stream.until(/"role":"standby"[^\n]*\n/)
    const lines = text
      .split('\n')
      .filter(line => line !== '')
      .map(line => parseRoutes(JSON.parse(line)))
    assert.deepEqual(
      lines.map(({ epoch }) => epoch).toSorted((a, b) => a - b),
      lines.map(({ epoch }) => epoch),
    )
    assert.deepEqual(
      lines.at(-1)?.variants.map(({ name, role, weight }) => [name, role, weight]),
      [
        ['b', 'champion', 1],
        ['a', 'standby', 0],
      ],
    )
    await stream.cancel()
  })

  it('begins with the routes of now, follows replicas, and ends with none after a delete', async () => {
    await deploy(1)
    const stream = await open('/api/v1/routes?watch=1')
    await stream.until(/"replicas":\[\{[^\n]*\n/)
    running.target.setHealth(1, { state: 'failing', since: 0, code: 'KILLED', reason: 'killed', retryAt: 1 })
    await stream.until(/"replicas":\[\][^\n]*\n/)
    await running.json('DELETE', '/api/v1/deployment')
    await stream.until(/"variants":\[\][^\n]*\n/)
    await stream.cancel()
  })

  it('refuses a switch that is none', async () => {
    assert.equal((await running.json('GET', '/api/v1/routes?watch=yes')).status, 400)
  })

  it('bounds its readers', async () => {
    const streams = await Promise.all(Array.from({ length: 100 }, () => open('/api/v1/routes?watch=1')))
    const refused = await running.json('GET', '/api/v1/routes?watch=1')
    assert.deepEqual([refused.status, SCHEMAS.Error.parse(refused.body).error.code], [503, 'BUSY'])
    await Promise.all(streams.map(stream => stream.cancel()))
  })
})

describe('GET /api/v1/events', () => {
  it('begins with the status, tells changes, the race and its decision, and beats', async () => {
    await deploy(1)
    const stream = await open('/api/v1/events')
    assert.equal(stream.head.headers.get('content-type'), 'text/event-stream')
    await stream.until(/^retry: \d+\n\nevent: status\n[^\n]*\n\n/)
    await stream.until(/\n: beat\n\n/)
    await deploy(2, { variant: 'b', challenger: { mode: 'shadow' } })
    await stream.until(/event: race\n[^\n]*\n\n/)
    const { epoch } = (await running.json('GET', '/api/v1/status')).body
    const numbers = Array.from({ length: 200 }, (_, at) => at)
    const records = numbers.flatMap(at => [
      toRecord(at, 1, 2 + Math.sin(at), { epoch: Number(epoch) }),
      toRecord(at, 2, Math.sin(at) / 2, { epoch: Number(epoch), served: false, replica: 'b-1' }),
    ])
    await running.json('POST', '/api/v1/records', toBatch(records, 3))
    await running.json(
      'POST',
      '/truth',
      records.map(({ request }) => ({ prediction: request, value: 0 })),
    )
    const text = await stream.until(/event: decision\n[^\n]*\n\n/)
    const last = SCHEMAS.Race.parse(toEvents(text, 'race').at(-1)?.['race'])
    assert.equal(last.verdict.state, 'promote-B')
    assert.equal(toEvents(text, 'decision').length, 1)
    const statuses = toEvents(text, 'status').map(event => SCHEMAS.Status.parse(event['status']))
    assert.equal(statuses.at(-1)?.gateway.droppedRecords, 3)
    assert.equal(statuses.at(-1)?.variants.length, 2)
    await stream.cancel()
  })

  it('tells a failing replica with its reason', async () => {
    await deploy(1)
    const stream = await open('/api/v1/events')
    running.target.setHealth(1, {
      state: 'failing',
      since: 0,
      code: 'KILLED',
      reason: 'killed by signal 9',
      retryAt: 1,
    })
    await stream.until(/"code":"KILLED","reason":"killed by signal 9"/)
    await stream.cancel()
  })
})

describe('GET /api/v1/logs/{process}', () => {
  it('gives the last lines', async () => {
    running.target.logs.set('a-1', ['one', 'two', 'three'])
    assert.equal(await (await running.call('/api/v1/logs/a-1?lines=2', {}, 'read')).text(), 'two\nthree\n')
    assert.equal(await (await running.call('/api/v1/logs/a-1', {}, 'read')).text(), 'one\ntwo\nthree\n')
  })

  it('follows new lines', async () => {
    running.target.logs.set('a-1', ['one'])
    const stream = await open('/api/v1/logs/a-1?lines=0&follow=1')
    running.target.print('a-1', 'two')
    assert.equal(await stream.until(/two\n/), 'two\n')
    await stream.cancel()
  })

  it('refuses a process that never ran, and a count that is none', async () => {
    const unknown = await running.json('GET', '/api/v1/logs/nobody')
    assert.deepEqual([unknown.status, SCHEMAS.Error.parse(unknown.body).error.code], [404, 'LOG_NONE'])
    assert.equal((await running.json('GET', '/api/v1/logs/gateway?lines=-1')).status, 400)
  })
})

describe('close()', () => {
  // What may take so long is waited for, and nothing here is.
  beforeEach(async () => {
    await running.stop()
    running = await place.start({}, { drainMs: 60_000 })
  })

  it('ends every stream at once, and answers nobody afterwards', async () => {
    await deploy(1)
    const paths = ['/api/v1/routes?watch=1', '/api/v1/events', '/api/v1/logs/gateway?follow=1']
    const streams = await Promise.all(paths.map(open))
    const from = performance.now()
    const ends = Promise.all(streams.map(stream => stream.rest()))
    await running.control.close()
    await ends
    assert.ok(performance.now() - from < 30_000, `${performance.now() - from} ms`)
    await assert.rejects(running.call('/healthz'))
    await running.control.close()
  })

  it('does not wait for a reader that reads nothing', async () => {
    await deploy(1)
    const response = await running.call('/api/v1/events')
    const from = performance.now()
    await running.control.close()
    assert.ok(performance.now() - from < 30_000)
    await response.body?.cancel().catch(() => {})
  })
})
