import { toErrorText } from '../../src/core/errors.ts'
import type { Case, Door } from './case.ts'
import { CallClient, sendFrames } from './clients/grpc.ts'
import { HttpClient, sendWire } from './clients/http.ts'
import { converse } from './clients/stream.ts'
import { toCase } from './generate.ts'
import { openHealth } from './health.ts'
import type { Place } from './places.ts'
import { shrink } from './shrink.ts'
import type { Tally } from './tally.ts'
import { judgeCall, judgeHttp, judgeWire } from './verdict.ts'
import { judgeStream } from './verdict-stream.ts'

/** Cases that are under way at once: one for each connection, or stream. */
const LANES = { http: 4, wire: 4, call: 16, stream: 4, frames: 2 } as const satisfies Record<Door, number>

/** Of all requests, how many come through each door. */
const SHARES = { http: 0.44, wire: 0.05, call: 0.44, stream: 0.06, frames: 0.01 } as const satisfies Record<
  Door,
  number
>

/** Between two looks whether what is right is still answered rightly. */
const HEALTH_EVERY = 250

/** No longer is a failing case made smaller: one that hangs would take its time with every try. */
const SHRINK_MS = 20_000

/** What is sent to a place. */
export interface Load {
  readonly place: Place
  readonly door: Door
  readonly seed: number
  /** The numbers of the cases, from the first to before the last. */
  readonly from: number
  readonly to: number
}

/** How many cases come through a door of one place, of so many requests to so many places. */
export function toCount(door: Door, requests: number, places: number): number {
  return Math.ceil((requests * SHARES[door]) / places)
}

/** Sends the cases of one door of one place, and now and then what is right. */
export async function runLoad({ place, door, seed, from, to }: Load, tally: Tally): Promise<void> {
  using health = await openHealth(place)
  using sender = openSender(place, door)
  let next = from
  const runLane = async (): Promise<void> => {
    while (next < to) {
      const at = next++
      const example = toCase(seed, door, at)
      const problem = await attempt(() => sender.send(example))
      const origin = { place: place.name, seed, at }
      const isShown = problem !== undefined && tally.shows(example, origin)
      tally.addCase(isShown ? await toSmallest(place, example, problem) : example, origin, problem)
      if (at % HEALTH_EVERY === HEALTH_EVERY - 1)
        tally.add(`${place.name}: what is right, after ${door}`, await attempt(() => health.check()), 1)
    }
  }
  await Promise.all(Array.from({ length: LANES[door] }, runLane))
  tally.add(`${place.name}: what is right, after ${door}`, await attempt(() => health.check()), 1)
}

/** The smallest case that fails in the same way; the case itself where it does not fail again, alone. */
async function toSmallest(place: Place, example: Case, problem: string): Promise<Case> {
  using sender = openSender(place, example.door)
  const deadline = performance.now() + SHRINK_MS
  return await shrink(example, async smaller => {
    if (performance.now() > deadline) return false
    const found = await attempt(() => sender.send(smaller))
    return found !== undefined && toKind(found) === toKind(problem)
  })
}

/** What failures of one kind have in common: the beginning of what is said about them, without numbers. */
function toKind(problem: string): string {
  return problem.slice(0, 40).replaceAll(/\d+/g, '0')
}

/** Sends cases of one door; what is wrong with an answer is returned or thrown. */
export interface Sender extends Disposable {
  send(example: Case): Promise<string | undefined>
}

/** Opens the connections that cases of a door are sent on. */
export function openSender({ http, grpc }: Place, door: Door): Sender {
  const idle = Array.from({ length: door === 'http' ? LANES.http : 0 }, () => new HttpClient(http))
  const calls = new CallClient(grpc)
  return {
    async send(example) {
      switch (example.door) {
        case 'http': {
          const client = idle.pop() ?? new HttpClient(http)
          try {
            return judgeHttp(example, await client.ask(example))
          } finally {
            idle.push(client)
          }
        }
        case 'wire':
          return judgeWire(example, await sendWire(http, example))
        case 'call':
          return judgeCall(example.family, await calls.call(example))
        case 'stream':
          return judgeStream(example, await converse(calls, example))
        case 'frames':
          await sendFrames(grpc, example)
          return undefined
        default:
          return example satisfies never
      }
    },
    [Symbol.dispose]() {
      calls[Symbol.dispose]()
      for (const client of idle) client[Symbol.dispose]()
    },
  }
}

/** What is wrong, said or thrown. */
export async function attempt(act: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await act()
  } catch (error) {
    return toErrorText(error)
  }
}
