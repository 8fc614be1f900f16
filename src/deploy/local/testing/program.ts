import { parseArgs } from 'node:util'
import { RegattaError, toErrorText } from '../../../core/errors.ts'
import { type HttpRequest, type HttpResponse, toJsonResponse, toTextResponse } from '../../../core/http/http.ts'
import { listenHttp } from '../../../core/http/server.node.ts'

/*
 * A stand-alone server or gateway for the supervisor's tests: it speaks the IPC messages and `/readyz`, and
 * misbehaves on command. Its first argument says how it starts and ends:
 *
 *   well           says listening and ready, ends on SIGTERM
 *   never-ready    says listening and nothing more
 *   broken-model   says failed and exits with 1
 *   stubborn       like well, but ignores SIGTERM
 *   shy            like well, but `/readyz` answers 503 from the start
 *
 * and these paths say how it goes on: `/crash` exits with 3, `/refuse` and `/accept` turn `/readyz` to 503 and 200,
 * `/chatter` writes one line to its log, `/babble` sends an unknown message, `/self` tells what it was started with.
 */
const [behaviour = 'well', ...rest] = process.argv.slice(2)
const { values } = parseArgs({
  args: rest,
  strict: false,
  options: { host: { type: 'string' }, 'http-port': { type: 'string' }, 'grpc-port': { type: 'string' } },
})
let isAccepting = behaviour !== 'shy'

function tell(message: unknown): Promise<void> {
  return new Promise(resolve => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, undefined, {}, () => resolve())
  })
}

async function answer(request: HttpRequest): Promise<HttpResponse> {
  switch (request.path) {
    case '/readyz':
      return isAccepting ? toTextResponse(200, 'ready') : toTextResponse(503, 'no replica yet')
    case '/crash':
      process.stderr.write('Out of luck\n')
      return process.exit(3)
    case '/refuse':
    case '/accept':
      isAccepting = request.path === '/accept'
      return toTextResponse(200, 'done')
    case '/chatter':
      process.stdout.write(`${request.query.get('text') ?? ''}\n`)
      return toTextResponse(200, 'done')
    case '/babble':
      await tell({ kind: 'gossip' })
      return toTextResponse(200, 'done')
    default:
      return toJsonResponse(200, { argv: process.argv, env: process.env })
  }
}

process.on('disconnect', () => {})
process.on('SIGTERM', () => {
  if (behaviour !== 'stubborn') process.exit(0)
})
if (behaviour === 'broken-model') {
  process.stderr.write('Reading the model\n')
  await tell({ kind: 'failed', code: 'MODEL', reason: 'Cannot load the model: expected ONNX' })
  process.exit(1)
}
try {
  const server = await listenHttp(answer, { host: String(values['host']), port: Number(values['http-port']) })
  await tell({ kind: 'listening', port: server.port })
  if (behaviour !== 'never-ready') await tell({ kind: 'ready' })
} catch (error) {
  const code = error instanceof RegattaError ? error.code : 'LISTEN'
  await tell({ kind: 'failed', code, reason: toErrorText(error) })
  process.exit(1)
}
