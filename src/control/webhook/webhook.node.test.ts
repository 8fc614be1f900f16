import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseProject } from '../../config/index.ts'
import type { PredictionRecord } from '../../core/wire/records.ts'
import type { Incident } from '../health/incidents.ts'
import { Place, type Running, toBatch, toRecord, toRequestId } from '../testing/place.ts'
import { toWebhookTarget } from './target.ts'
import { Webhook, type WebhookOptions } from './webhook.node.ts'

const SECRET = 'T000-B000-secret'
const incident: Incident = { kind: 'drift', race: 3, key: '', text: 'Race 3: drift. "b" was better' }

interface Seen {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A receiver that answers with these statuses, then with 200. */
async function startReceiver(statuses: readonly number[] = []) {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    seen.push({ headers: request.headers, body })
    const status = statuses[seen.length - 1] ?? 200
    response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1/' } : {}).end(`no: ${SECRET}`)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/services/${SECRET}`,
    seen,
    [Symbol.asyncDispose]: () => new Promise<void>(resolve => server.close(() => resolve())),
  }
}

function makeWebhook(url: string, more: Partial<WebhookOptions> = {}) {
  const log: string[] = []
  const ends: string[] = []
  const write = (detail: object, message: string): void => void log.push(`${message} ${JSON.stringify(detail)}`)
  const webhook = new Webhook({
    ...{ url, format: 'slack', deployment: 'forecast', clock: () => 0, firstPauseMs: 1 },
    logger: { info: write, warn: write, error: write },
    onEnd: end => ends.push(end),
    ...more,
  })
  return { webhook, log, ends }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!condition() && Date.now() < deadline) await sleep(5)
  assert.ok(condition())
}

describe('Webhook', () => {
  it('sends what Slack takes', async () => {
    await using receiver = await startReceiver()
    const { webhook, ends } = makeWebhook(receiver.url)
    await using _ = webhook
    webhook.send(incident)
    await until(() => ends.length === 1)
    assert.equal(receiver.seen[0]?.headers['content-type'], 'application/json')
    assert.deepEqual(JSON.parse(receiver.seen[0]?.body ?? ''), { text: 'forecast: Race 3: drift. "b" was better' })
  })

  it("sends what is no race's under its own type", async () => {
    await using receiver = await startReceiver()
    const { webhook, ends } = makeWebhook(receiver.url, { format: 'cloudevents' })
    await using _ = webhook
    webhook.send({ kind: 'replica', key: 'a-1', text: 'a-1 [OOM] is over' })
    await until(() => ends.length === 1)
    const { type, subject, data } = JSON.parse(receiver.seen[0]?.body ?? '')
    assert.deepEqual([type, subject, data.text], ['dev.regatta.replica', 'replica/a-1', 'a-1 [OOM] is over'])
  })

  it('sends CloudEvents in structured mode, the same again where it has to', async () => {
    await using receiver = await startReceiver([503])
    const { webhook, ends } = makeWebhook(receiver.url, { format: 'cloudevents' })
    await using _ = webhook
    webhook.send(incident)
    await until(() => ends.length === 1)
    assert.match(receiver.seen[1]?.headers['content-type'] ?? '', /^application\/cloudevents\+json/)
    const { id, ...event } = JSON.parse(receiver.seen[1]?.body ?? '') as Record<string, unknown>
    assert.match(String(id), /^[0-9a-f-]{36}$/)
    assert.equal(receiver.seen[0]?.body, receiver.seen[1]?.body)
    assert.deepEqual(event, {
      specversion: '1.0',
      source: '/regatta/forecast',
      type: 'dev.regatta.race.drift',
      subject: 'race/3',
      time: '1970-01-01T00:00:00.000Z',
      datacontenttype: 'application/json',
      data: { kind: 'drift', race: 3, key: '', text: incident.text },
    })
  })

  it('tries again what may pass, and gives up what cannot', async () => {
    await using receiver = await startReceiver([500, 429, 200, 404, 302, 200])
    const { webhook, ends } = makeWebhook(receiver.url)
    await using _ = webhook
    for (const race of [1, 2, 3, 4]) webhook.send({ ...incident, race })
    await until(() => ends.length === 4)
    assert.deepEqual(ends, ['sent', 'failed', 'failed', 'sent'])
  })

  it('gives up after ten tries, and never tells the URL', async () => {
    await using receiver = await startReceiver(Array.from({ length: 10 }, () => 500))
    const { webhook, ends, log } = makeWebhook(receiver.url)
    await using _ = webhook
    webhook.send(incident)
    await until(() => ends.length === 1)
    assert.deepEqual([ends, receiver.seen.length], [['failed'], 10])
    assert.match(log.at(-1) ?? '', /Cannot send an alert.*it answered 500/)
    assert.doesNotMatch(log.join('\n'), new RegExp(SECRET))
  })

  it('says that nobody listens without the URL, holds a hundred messages, and ends at once', async () => {
    const { url } = await startReceiver().then(async receiver => {
      await receiver[Symbol.asyncDispose]()
      return receiver
    })
    const { webhook, ends, log } = makeWebhook(url, { firstPauseMs: 60_000 })
    await using _ = webhook
    webhook.send(incident)
    await until(() => log.length === 1)
    assert.match(log[0] ?? '', /cannot be reached \(ECONNREFUSED\)/)
    for (let sent = 0; sent < 103; sent++) webhook.send(incident)
    assert.deepEqual(ends, ['dropped', 'dropped', 'dropped'])
    await webhook[Symbol.asyncDispose]()
    assert.doesNotMatch(log.join('\n'), new RegExp(SECRET))
  })
})

describe('toWebhookTarget()', () => {
  const project = (alerts: string) => parseProject(`name: m\nserve: { alerts: ${alerts} }`, { folder: '/', env: {} })
  const url = `https://hooks.example.com/${SECRET}`

  it('finds the URL in the environment', () => {
    const wanted = { url, format: 'cloudevents' }
    assert.deepEqual(toWebhookTarget(project('{ webhook: HOOK, format: cloudevents }'), { HOOK: ` ${url}\n` }), wanted)
    assert.equal(toWebhookTarget(project('{}'), {}), undefined)
  })
  for (const [name, env] of [
    ['no such variable', {}],
    ['an empty one', { HOOK: ' ' }],
    ['one that holds no URL', { HOOK: `hooks.example.com/${SECRET}` }],
  ] as const) {
    it(`refuses ${name}, without telling what it holds`, () => {
      assert.throws(
        () => toWebhookTarget(project('{ webhook: HOOK }'), env),
        (error: Error) => /HOOK/.test(error.message) && !error.message.includes(SECRET),
      )
    })
  }
  it('is never a URL in regatta.yaml', () => {
    assert.throws(() => project(`{ webhook: "${url}" }`), { message: /name of an environment variable/ })
  })
})

/** Champion a and challenger b; says the epoch of both. */
async function startRace(place: Place, running: Running, challenger: object): Promise<number> {
  for (const body of [{ version: 1 }, { version: 2, variant: 'b', challenger }]) {
    const digest = await place.addImage(body.version)
    assert.equal((await running.json('POST', '/api/v1/deploy', { ...body, digest })).status, 200)
  }
  return Number((await running.json('GET', '/api/v1/status')).body['epoch'])
}

async function report(running: Running, records: readonly PredictionRecord[], epoch: number): Promise<void> {
  const batch = toBatch(records.map(record => ({ ...record, epoch })))
  assert.equal((await running.json('POST', '/api/v1/records', batch)).status, 200)
  const truths = [...new Set(records.map(({ request }) => request))].map(prediction => ({ prediction, value: 0 }))
  assert.equal((await running.json('POST', '/truth', truths)).status, 200)
}

const toNumbers = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at)

describe('control', () => {
  const shadow = { mode: 'shadow' }
  /** Both answers to some requests, of which the challenger's are off by `off`. */
  const toPairs = (from: number, to: number, off: number) =>
    toNumbers(from, to).flatMap(at => [
      toRecord(at, 1, 3 + Math.sin(at)),
      toRecord(at, 2, off + Math.sin(at * 7), { served: false }),
    ])

  it('tells a webhook of a verdict once, also after it was started anew', async () => {
    await using receiver = await startReceiver()
    await using place = await Place.open()
    const hook = { webhook: { url: receiver.url, format: 'slack' } } as const
    const running = await place.start({}, {}, () => {}, hook)
    await report(running, toPairs(0, 300, 1), await startRace(place, running, shadow))
    await until(() => receiver.seen.length === 1)
    assert.match(receiver.seen[0]?.body ?? '', /forecast: Race 1 \(a v1 against b v2\): promote-B\. b is better/)
    const [verdict] = running.target.told.filter(({ reason }) => reason === 'Verdict')
    assert.match(verdict?.text ?? '', /^Race 1 \(a v1 against b v2\): promote-B/)
    assert.match(await (await running.call('/metrics')).text(), /alerts_total\{state="sent"\} 1/)
    await running.stop()
    const next = await place.start({}, {}, () => {}, hook)
    await next.json('POST', '/truth', [{ prediction: toRequestId(0), value: 0.1, revision: 1 }])
    await next.json('GET', '/api/v1/race')
    await sleep(50)
    assert.equal(receiver.seen.length, 1)
  })

  /** The types of the CloudEvents that came, once there are as many. */
  async function untilTold(receiver: { readonly seen: readonly Seen[] }, count: number): Promise<readonly string[]> {
    await until(() => receiver.seen.length >= count)
    return receiver.seen.map(({ body }) => String(JSON.parse(body).type).replace('dev.regatta.race.', ''))
  }

  it('tells a webhook that the data contradict the decision', async () => {
    await using receiver = await startReceiver()
    await using place = await Place.open()
    const hook = { webhook: { url: receiver.url, format: 'cloudevents' } } as const
    const running = await place.start({}, {}, () => {}, hook)
    const epoch = await startRace(place, running, shadow)
    await report(running, toPairs(0, 300, 1), epoch)
    assert.deepEqual(await untilTold(receiver, 1), ['verdict'])
    await report(running, toPairs(300, 2000, 9), epoch)
    assert.deepEqual(await untilTold(receiver, 2), ['verdict', 'drift'])
  })

  it('tells a webhook of a guardrail that was broken, and of requests that are not shared as the weights say', async () => {
    await using receiver = await startReceiver()
    await using place = await Place.open()
    const hook = { webhook: { url: receiver.url, format: 'cloudevents' } } as const
    const running = await place.start({ guardrails: { errorRate: 0.01, p99: undefined } }, {}, () => {}, hook)
    const epoch = await startRace(place, running, { mode: 'split', weight: 0.5 })
    const records = toNumbers(0, 600).map(at =>
      at < 100
        ? toRecord(at, 1, 1)
        : toRecord(at, 2, 1, at % 2 === 0 ? {} : { status: 500, error: 'broken', rows: [] }),
    )
    await report(running, records, epoch)
    // Labels may be there by then or not: of requests and of labels, one mismatch or two.
    const kinds = new Set(await untilTold(receiver, 2))
    assert.deepEqual([...kinds].sort(), ['guardrail', 'mismatch'])
  })
})
