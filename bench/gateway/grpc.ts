/*
 * What a gRPC call costs the gateway: CPU time of its process for each, sticky by entity and recorded, over a server
 * without a model. Rounds are interleaved.
 *
 *     node_modules/.bin/node bench/gateway/grpc.ts [CALLS] [ROUNDS] [CONNECTIONS] [ENTRY…]
 *
 * Sixteen calls are in flight at once, over so many connections. Entries are builds of the gateway to compare
 * (`src/route/main.ts` of another checkout), beside this one.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type GrpcChannel, openGrpcChannel } from '../../src/core/grpc/client.node.ts'
import { PREDICT, toPredictRequest } from '../../src/route/testing/grpc-upstream.ts'
import { readUsage } from '../process-mark.ts'
import { toMedian } from '../statistics.ts'
import { toAligned } from '../table.ts'
import { type Program, startGateway, startGrpcUpstream, startUpstream } from './programs.ts'

const IN_FLIGHT = 16
const MESSAGE = toPredictRequest()

interface Contender extends Program {
  readonly name: string
  readonly channels: readonly GrpcChannel[]
  /** CPU time of a call in each round, µs. */
  readonly costs: number[]
}

/** Makes so many calls. Returns how many failed. */
async function call(channels: readonly GrpcChannel[], calls: number): Promise<number> {
  let [left, errors] = [calls, 0]
  const caller = async (channel: GrpcChannel, index: number): Promise<void> => {
    while (left > 0) {
      left -= 1
      const { status } = await channel.call(PREDICT, { 'x-regatta-entity': `user-${index}-${left % 100}` }, MESSAGE)
      if (status !== 'OK') errors += 1
    }
  }
  const callers = Array.from({ length: IN_FLIGHT }, (_, index) => channels[index % channels.length])
  await Promise.all(callers.map((channel, index) => channel && caller(channel, index)))
  // Records are handed over a moment after the answers.
  await sleep(300)
  return errors
}

async function measure({ child, channels, costs, name }: Contender, calls: number): Promise<void> {
  const pids = [child.pid ?? 0]
  const before = readUsage(pids).cpuS
  const errors = await call(channels, calls)
  costs.push(((readUsage(pids).cpuS - before) / calls) * 1e6)
  if (errors > 0) throw new Error(`${errors} of ${calls} calls of ${name} failed`)
}

function toText(contenders: readonly Contender[]): string {
  const first = toMedian(contenders[0]?.costs ?? [])
  const rows = contenders.map(({ name, costs }) => {
    const [median, lowest, highest] = [toMedian(costs), Math.min(...costs), Math.max(...costs)]
    return [name, median.toFixed(0), `${lowest.toFixed(0)} to ${highest.toFixed(0)}`, (median / first).toFixed(2)]
  })
  return toAligned(['gateway', 'CPU us a call', 'rounds', 'ratio'], rows)
}

const folder = mkdtempSync(join(tmpdir(), 'regatta-bench-'))
const programs: Program[] = []
const own = (program: Program): Program => {
  programs.push(program)
  return program
}
try {
  const [calls = 10_000, rounds = 5, connections = 1] = process.argv.slice(2, 5).map(Number)
  if (![calls, rounds, connections].every(count => Number.isSafeInteger(count) && count > 0))
    throw new Error(
      'Cannot read the arguments: expected [CALLS] [ROUNDS] [CONNECTIONS] [ENTRY…], whole numbers from 1 on',
    )
  const [control, replica] = [own(await startUpstream()), own(await startGrpcUpstream())]
  const variants = [{ name: 'a', role: 'champion', weight: 1, port: control.port, grpcPort: replica.port }] as const
  const contenders: Contender[] = []
  for (const name of [join(import.meta.dirname, '../../src/route/main.ts'), ...process.argv.slice(5)]) {
    const gateway = own(await startGateway(name, folder, control, variants))
    const channels = Array.from({ length: connections }, () => openGrpcChannel(`127.0.0.1:${gateway.grpcPort}`))
    contenders.push({ ...gateway, name, channels, costs: [] })
  }
  console.log(`load ${loadavg()[0]?.toFixed(1)} before`)
  // Until their hot paths are compiled.
  for (const { channels } of contenders) await call(channels, 2 * calls)
  for (let round = 0; round < rounds; round += 1) for (const contender of contenders) await measure(contender, calls)
  console.log(toText(contenders))
  console.log(`load ${loadavg()[0]?.toFixed(1)} after`)
  await Promise.all(contenders.flatMap(({ channels }) => channels.map(channel => channel.close(0))))
} finally {
  for (const { child } of programs) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}
