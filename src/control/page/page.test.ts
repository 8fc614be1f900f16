import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { toUuidV7 } from '../../core/uuid.ts'
import { type PageElement, toDocument } from '../testing/dom.ts'
import { ADMIN, Place, type Running, toBatch, toRecord, toRequestId } from '../testing/place.ts'
import { CHART } from './chart.ts'
import { HTML } from './html.ts'
import { SCRIPT } from './script.ts'

const HOUR_MS = 3_600_000

let place: Place
let running: Running
let page: Page
beforeEach(async () => {
  place = await Place.open()
  running = await place.start()
})
afterEach(async () => {
  page.close()
  await place[Symbol.asyncDispose]()
})

const chart = await import(`data:text/javascript,${encodeURIComponent(CHART)}`)

/** Runs the page's script against the real control. */
class Page {
  readonly #closing = new AbortController()
  readonly #document = toDocument(HTML)
  readonly asked: string[] = []

  constructor(answer?: (path: string, headers: Record<string, string>) => Response | undefined) {
    const { signal } = this.#closing
    const world = {
      ...chart,
      document: this.#document,
      sessionStorage: { getItem: () => null, setItem: () => {} },
      fetch: async (path: string, init: { headers: Record<string, string>; signal?: AbortSignal }) => {
        this.asked.push(path)
        const both = AbortSignal.any([signal, ...(init.signal === undefined ? [] : [init.signal])])
        return answer?.(path, init.headers) ?? (await fetch(`${running.control.url}${path}`, { ...init, signal: both }))
      },
      requestAnimationFrame: (draw: () => void) => setImmediate(draw),
      setTimeout: (act: () => void) => (signal.aborted ? undefined : setTimeout(act, 20)),
    }
    // The watchdog of silence must not fire in a test: only waits that are short in the page are short here.
    const waits = { ...world, setTimeout: (act: () => void, ms: number) => (ms > 5000 ? 0 : world.setTimeout(act)) }
    const body = SCRIPT.replace(/^import .*$/m, '')
    new Function(...Object.keys(waits), body)(...Object.values(waits))
  }

  element(id: string): PageElement {
    const element = this.#document.getElementById(id)
    assert.ok(element, id)
    return element
  }

  async until(id: string, wanted: RegExp): Promise<string> {
    const deadline = Date.now() + 30_000
    while (!wanted.test(this.element(id).text)) {
      assert.ok(Date.now() < deadline, `#${id} is "${this.element(id).text}", wanted ${wanted}`)
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    return this.element(id).text
  }

  close(): void {
    this.#closing.abort()
  }
}

async function post(path: string, body: unknown): Promise<void> {
  const answer = await running.json('POST', path, body)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
}

describe('the page', () => {
  it('shows the deployment and the race live, with chart, gates and reasons', async () => {
    page = new Page()
    await page.until('state', /nothing is deployed/)
    await post('/api/v1/deploy', { version: 1, digest: await place.addImage(1) })
    await page.until('processes', /a v1 \| champion \| 100 % \| ready/)
    await post('/api/v1/deploy', {
      version: 2,
      digest: await place.addImage(2),
      variant: 'b',
      challenger: { mode: 'shadow' },
    })
    await page.until('verdict', /too early to say/)
    await page.until('gates', /✗ waiting: pairs, 100 pairs wanted, 0 found/)
    for (const from of [0, 60]) {
      const numbers = Array.from({ length: 60 }, (_, at) => at + from)
      const records = numbers.flatMap(at => [
        toRecord(at, 1, 2 + Math.sin(at), { epoch: 2 }),
        toRecord(at, 2, Math.sin(at) / 2, { epoch: 2, served: false, replica: 'b-1' }),
      ])
      await post('/api/v1/records', toBatch(records))
      await post(
        '/truth',
        numbers.map(at => ({ prediction: toRequestId(at), value: 0 })),
      )
      await page.until('facts', new RegExp(`Labels \\| ${from + 60}`))
    }
    await page.until('verdict', /^b is better$/)
    assert.equal(page.element('verdict').className, 'verdict promote-B')
    assert.match(page.element('arms').text, /A a v1 \| .* \| 120 \| 120/)
    await page.until('caption', /95 % confidence sequence/)
    assert.match(page.element('chart').innerHTML, /^<svg .*after 120 labels/)
    running.target.setHealth(1, { state: 'failing', since: 0, code: 'KILLED', reason: 'killed by 9', retryAt: 1 })
    await page.until('processes', /failing \| 0 \| killed by 9/)
    assert.equal(page.element('state').textContent, 'not ready')
    await post('/api/v1/promote', {})
    await page.until('verdict', /the race has ended: promoted/)
  })

  it('marks what young predictions say as provisional, and tells what is missing', async () => {
    await running.stop()
    running = await place.start({ maturityMs: 3 * HOUR_MS, minGain: 0.1 })
    page = new Page()
    await post('/api/v1/deploy', { version: 1, digest: await place.addImage(1) })
    const challenger = { mode: 'shadow' }
    await post('/api/v1/deploy', { version: 2, digest: await place.addImage(2), variant: 'b', challenger })
    const requests = [1.5, 6, 6, 6].map((hours, number) => {
      const at = Date.now() - hours * HOUR_MS
      return { at, request: toUuidV7(at, new Uint8Array(16).fill(number)), epoch: 2 }
    })
    const records = requests.flatMap((request, number) => [
      toRecord(0, 1, 1 + number, request),
      toRecord(0, 2, 1, { ...request, served: false }),
    ])
    await post('/api/v1/records', toBatch(records))
    await post(
      '/truth',
      requests.map(({ request }) => ({ prediction: request, value: 0 })),
    )
    await page.until('facts', /Labels \| 3/)
    await page.until('facts', /Judged \| predictions from the age of 3 h; with a truth A 3 of 3; B 3 of 3/)
    await page.until('facts', /Provisional, not judged \| A 1 with a mean loss of 1; B 1 with a mean loss of 1/)
    await page.until('facts', /Truth takes \| A [56](\.\d+)? h/)
    await page.until('facts', /Needed \| about [\d,]+ labels in all for a gain of 0\.1/)
  })

  it('shows one of several races, and the one that is chosen', async () => {
    page = new Page()
    await post('/api/v1/deploy', { version: 1, digest: await place.addImage(1) })
    for (const [version, variant] of [
      [2, 'b'],
      [3, 'c'],
    ] as const) {
      const challenger = { mode: 'shadow' }
      await post('/api/v1/deploy', { version, digest: await place.addImage(version), variant, challenger })
    }
    await page.until('races', /b: too early to say.*c: too early to say/s)
    assert.match(page.element('arms').text, /B b v2/)
    page.element('races').children[1]?.send('click')
    await page.until('arms', /B c v3/)
    await post('/api/v1/promote', { variant: 'b' })
    await page.until('arms', /A b v2/)
    assert.equal(page.element('races').hidden, true)
  })

  it('asks for a token where one is needed, says that it is wrong, and goes on with the right one', async () => {
    const message = 'Cannot tell who asks'
    page = new Page((_path, { authorization }) =>
      authorization === `Bearer ${ADMIN}` ? undefined : Response.json({ error: { message } }, { status: 401 }),
    )
    await page.until('state', /a token is needed/)
    assert.equal(page.element('login').hidden, false)
    page.element('token').value = 'wrong'
    page.element('login').send('submit')
    await page.until('refused', /Cannot tell who asks/)
    page.element('token').value = ADMIN
    page.element('login').send('submit')
    await page.until('state', /nothing is deployed/)
    assert.equal(page.element('login').hidden, true)
  })

  it('says that control is away, and comes back when it does', async () => {
    page = new Page()
    await page.until('state', /nothing is deployed/)
    await running.stop()
    await page.until('state', /control is away .*trying again/)
    running = await place.start()
    await page.until('state', /nothing is deployed/)
  })

  it('shows names and reasons as text, never as HTML', async () => {
    page = new Page()
    assert.equal(SCRIPT.match(/innerHTML/g)?.length, 1)
    await post('/api/v1/deploy', { version: 1, digest: await place.addImage(1) })
    const reason = '<img src=x onerror=alert(1)>'
    running.target.setHealth(1, { state: 'failing', since: 0, code: 'EXITED', reason, retryAt: 1 })
    await page.until('processes', /<img/)
    assert.equal(page.element('processes').innerHTML, '')
  })
})
