import { execFile, fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { WireRequest } from './protocols.ts'

/** A load that ends by itself: connections that each send the next request when they have their answer. */
export interface Load {
  readonly request: WireRequest
  readonly port: number
  readonly connections: number
  /** Whole seconds. */
  readonly seconds: number
}

/** What came of it. */
export interface LoadResult {
  /** Answered well. */
  readonly requests: number
  readonly errors: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** How a load may be made. */
export interface LoadTools {
  /** The program wrk. */
  readonly wrk: string
  /** A folder for the request's body. */
  readonly folder: string
}

/** wrk gives up on an answer after this. */
const TIMEOUT_S = 10

/** Loads a server from another process: with wrk, or, where wrk cannot, with a loop that waits for its last answers. */
export async function runLoad(load: Load, isSlow: boolean, tools: LoadTools): Promise<LoadResult> {
  return load.request.transport === 'grpc' || isSlow ? await runClosedLoop(load) : await runWrk(load, tools)
}

/** Loads a server with one thread of wrk, which ends without the answers that are on their way. */
async function runWrk({ request, port, connections, seconds }: Load, tools: LoadTools): Promise<LoadResult> {
  const body = join(tools.folder, 'body')
  writeFileSync(body, request.body)
  const script = join(import.meta.dirname, 'wrk.lua')
  const { stdout } = await promisify(execFile)(
    tools.wrk,
    [
      ...['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', `${TIMEOUT_S}s`, '-s', script],
      ...[`http://127.0.0.1:${port}${request.path}`, '--', body, ...Object.entries(request.headers).flat()],
    ],
    { timeout: (seconds + 2 * TIMEOUT_S) * 1000 },
  )
  return parseResult(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''))
}

/** Loads a server with `closed-loop.ts`, at most a minute longer than asked. */
async function runClosedLoop(load: Load): Promise<LoadResult> {
  const child = fork(join(import.meta.dirname, 'closed-loop.ts'), { execArgv: [], serialization: 'advanced' })
  const timer = setTimeout(() => child.kill('SIGKILL'), (load.seconds + 60) * 1000)
  try {
    const answer = await new Promise<unknown>((resolve, reject) => {
      child.once('message', resolve)
      child.once('error', reject)
      child.once('exit', code => reject(new Error(`The load ended with ${code} and no result`)))
      child.send(load)
    })
    return parseResult(answer)
  } finally {
    clearTimeout(timer)
  }
}

const FIGURES = ['requests', 'errors', 'perSecond', 'p50Ms', 'p99Ms'] as const

function parseResult(value: unknown): LoadResult {
  if (FIGURES.every(figure => typeof Reflect.get(Object(value), figure) === 'number')) return value as LoadResult
  throw new Error(`The load failed: ${String(value)}`)
}
