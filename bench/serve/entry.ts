import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Bench } from './bench.ts'
import type { LoopContender, Place } from './contender.ts'
import { runLoad } from './load.ts'
import { PROTOCOLS, type Protocol } from './protocols.ts'
import type { Case, Sample } from './results.ts'
import type { Running } from './running.ts'

/** A case, and how it is measured. */
export interface Entry {
  readonly case: Case
  /** Whether it is worth a load before the first that counts. */
  readonly isWarmedUp: boolean
  /** Measures it once. @throws where it cannot be measured any more */
  readonly measure: (seconds: number) => Promise<Measured>
}

/** What one measurement gives. */
export type Measured = Omit<Sample, keyof Case | 'round'>

/** A server, asked in one way over so many connections. */
export function toServerEntry(bench: Bench, server: Running, protocol: Protocol, connections: number): Entry {
  const { contender, place } = server
  const { isSlow, name } = place.model
  const request = PROTOCOLS[protocol].toRequest(place.model)
  const port = place.ports[request.transport]
  return {
    case: { model: name, contender: contender.name, protocol, connections },
    isWarmedUp: true,
    measure: async seconds => {
      const before = server.readUsage()
      const result = await runLoad({ request, port, connections, seconds }, isSlow, { ...bench, folder: place.folder })
      const { cpuS, rssBytes } = server.readUsage()
      if (result.requests === 0) throw new Error(`answered none of ${result.errors} requests`)
      return { ...result, cpuUs: ((cpuS - before.cpuS) / result.requests) * 1e6, rssBytes }
    },
  }
}

/** A loop that calls the runtime in a process of its own. */
export function toLoopEntry(contender: LoopContender, place: Place): Entry {
  return {
    case: { model: place.model.name, contender: contender.name, protocol: 'call', connections: 1 },
    isWarmedUp: false,
    measure: async seconds => {
      const [program, ...args] = contender.toLaunch(place, seconds).command
      const env = { ...process.env, ORT_DISABLE_TELEMETRY: '1' }
      const { stdout } = await promisify(execFile)(program, args, { env, timeout: (seconds + 60) * 1000 })
      const { calls, cpuS, p50Ms, p99Ms } = parseReport(JSON.parse(stdout))
      const perSecond = calls / seconds
      return { requests: calls, errors: 0, cpuUs: (cpuS / calls) * 1e6, perSecond, p50Ms, p99Ms, rssBytes: undefined }
    },
  }
}

/** What a loop around the runtime prints. */
interface LoopReport {
  readonly calls: number
  /** Of the calls alone. */
  readonly cpuS: number
  readonly p50Ms: number
  readonly p99Ms: number
}

function parseReport(value: unknown): LoopReport {
  const figures = ['calls', 'cpuS', 'p50Ms', 'p99Ms']
  if (figures.every(figure => typeof Reflect.get(Object(value), figure) === 'number')) return value as LoopReport
  throw new Error(`Cannot use what the loop printed: ${JSON.stringify(value)}`)
}
