import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { toErrorText } from '../core/errors.ts'
import type { ControlClient } from './client.node.ts'
import type { Call } from './verb.ts'

/** Answers that are wanted, each on a connection of its own: a Service leads to several gateways. */
const WANTED = 3
const PAUSE_MS = 100
const TRY_MS = 2000

/**
 * Waits until the gateway answers where clients ask it: what leads to its pods may hear of them later than control does.
 * From here nobody may reach it at all; that is told, and no failure.
 */
export async function untilAnswering(
  call: Pick<Call, 'clock' | 'err' | 'signal'>,
  client: Pick<ControlClient, 'openGateway'>,
  patienceMs = 15_000,
): Promise<void> {
  await using gateway = await client.openGateway()
  const { url } = gateway
  if (url === null) return
  const deadline = call.clock() + patienceMs
  for (let answers = 0; answers < WANTED; ) {
    const problem = await ask(`${url}/readyz`, call.signal)
    call.signal.throwIfAborted()
    answers = problem === undefined ? answers + 1 : 0
    if (problem === undefined) continue
    if (call.clock() > deadline) {
      call.err(`cannot see from here whether ${url} answers: ${problem}\n`)
      return
    }
    await sleep(PAUSE_MS, undefined, { signal: call.signal })
  }
}

/** Asks once; undefined where it is ready. Never rejects. */
function ask(url: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise(resolve => {
    const late = AbortSignal.timeout(TRY_MS)
    const request = get(url, { agent: false, signal: AbortSignal.any([signal, late]) }, response => {
      response.resume().on('error', () => {})
      resolve(response.statusCode === 503 ? 'HTTP 503' : undefined)
    })
    request.on('error', error => resolve(late.aborted ? `no answer within ${TRY_MS} ms` : toErrorText(error)))
  })
}
