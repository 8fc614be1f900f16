// Calls ONNX Runtime for some seconds, and prints what a call costs.
import { readFileSync } from 'node:fs'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { toQuantile } from '../../statistics.ts'

const [path = '', shape = '', input = '', seconds = ''] = process.argv.slice(2)
const session = await InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 })
const data = new Float32Array(Uint8Array.from(readFileSync(input)).buffer)
const feeds = { x: new Tensor('float32', data, JSON.parse(shape)) }
for (let call = 0; call < 5; call += 1) await session.run(feeds)
const times: number[] = []
const before = process.cpuUsage()
const endAt = performance.now() + Number(seconds) * 1000
for (let now = performance.now(); now < endAt; ) {
  await session.run(feeds)
  const then = performance.now()
  times.push(then - now)
  now = then
}
const { user, system } = process.cpuUsage(before)
const [p50Ms, p99Ms] = [toQuantile(times, 0.5), toQuantile(times, 0.99)]
console.log(JSON.stringify({ calls: times.length, cpuS: (user + system) / 1e6, p50Ms, p99Ms }))
