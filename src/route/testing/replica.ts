import { setTimeout as sleep } from 'node:timers/promises'
// Loaded at once: what is asked of it on a busy machine has little time.
import '../../core/grpc/connections.node.ts'
import { predictingGrpc, startGrpcServer } from './grpc-upstream.ts'
import { predicting, startServer } from './upstream.ts'

/*
 * A model server as a process of its own, so that a test can kill it: answers every prediction, over either port, with
 * the number of its first argument, after the milliseconds of its second.
 */
const [value = '0', pauseMs = '0'] = process.argv.slice(2)
const answer = predicting(Number(value))
const server = await startServer((seen, response) => {
  setTimeout(() => void answer(seen, response), Number(pauseMs))
})
const answerGrpc = predictingGrpc(Number(value))
const grpc = await startGrpcServer(async call => {
  await sleep(Number(pauseMs))
  return await answerGrpc(call)
})
process.send?.({ http: server.url, grpc: grpc.url })
