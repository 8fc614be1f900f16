import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** Requests that come all the time, as clients send them. */
export interface Load extends AsyncDisposable {
  readonly counts: Counts
  /** Ends it once at least so many requests were answered in all, at most two minutes later. */
  stop(least: number): Promise<Counts>
}

/** What came back. */
export interface Counts {
  readonly answered: number
  /** What was wrong with each request that was not answered as it should be; at most the first hundred. */
  readonly failures: readonly string[]
  readonly failed: number
}

const CLIENTS = 8
/** Between two requests of a client: the load shall be steady, not heavy. */
const PAUSE_MS = 6
const MAX_FAILURES = 100

/** Starts a load of predictions whose answers must be one of `wanted`. */
export function startLoad(url: string, body: object, wanted: readonly unknown[]): Load {
  const allowed = new Set(wanted.map(answer => JSON.stringify(answer)))
  const payload = JSON.stringify(body)
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  const failures: string[] = []
  let answered = 0
  let failed = 0
  let stopped = false
  const ask = async (): Promise<void> => {
    const problem = await post(agent, url, payload).then(
      answer => (allowed.has(answer) ? undefined : answer),
      (error: unknown) => String(error),
    )
    if (problem === undefined) answered += 1
    else {
      failed += 1
      if (failures.length < MAX_FAILURES) failures.push(`${new Date().toISOString()} ${problem}`)
    }
  }
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!stopped) {
      await ask()
      await sleep(PAUSE_MS)
    }
  })
  const end = async (): Promise<void> => {
    stopped = true
    await Promise.all(clients)
    agent.destroy()
  }
  return {
    get counts() {
      return { answered, failed, failures }
    },
    async stop(least) {
      for (let waited = 0; answered < least && waited < 120_000; waited += 100) await sleep(100)
      await end()
      return { answered, failed, failures }
    },
    [Symbol.asyncDispose]: end,
  }
}

/** Posts JSON; the answer's text. @throws for any other status than 200 */
export function post(agent: Agent, url: string, payload: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }
    const sent = request(url, { method: 'POST', agent, headers, timeout: 20_000 }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200) resolve(JSON.stringify(JSON.parse(text)))
        else reject(new Error(`HTTP ${response.statusCode}: ${text.slice(0, 200)}`))
      })
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer within 20 s')))
    sent.on('error', reject)
    sent.end(payload)
  })
}
