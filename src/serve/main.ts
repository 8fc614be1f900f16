import { isMainThread } from 'node:worker_threads'
import { pino } from 'pino'
import { RegattaError, toErrorText, UsageError } from '../core/errors.ts'
import { keepHeapSmall } from '../core/heap.node.ts'
import { type Command, readCommand } from './command.node.ts'
import { runEngineThread } from './engine/thread.node.ts'
import type { Listening } from './options.ts'
import { startServer } from './server.node.ts'
import { openTraces } from './telemetry/open-traces.node.ts'

/*
 * The process of a model server; under the name tensorflow_model_server it takes the flags of that. It tells its parent,
 * where it has one, `listening` with its ports, then `ready` or `failed`; it ends with 0 after SIGTERM or SIGINT, 1 where
 * it failed, 2 where its flags are wrong. The same file is the entry of the threads that run a model.
 */

// Before ONNX Runtime is loaded.
process.env['ORT_DISABLE_TELEMETRY'] = '1'
keepHeapSmall()

if (isMainThread) await serve()
else await runEngineThread()

async function serve(): Promise<void> {
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())
  try {
    const command = await readCommand(process.argv.slice(1), process.env)
    if (command.kind === 'print') process.stdout.write(command.text)
    else await serveUntilStopped(command, stop.signal)
    process.exit(0)
  } catch (error) {
    const code = error instanceof RegattaError ? error.code : 'SERVER'
    // Its sentence is enough by itself; whatever else is thrown may need its causes.
    const reason = error instanceof RegattaError ? error.message : toErrorText(error)
    const fix = error instanceof RegattaError && error.fix !== undefined ? `  try: ${error.fix}\n` : ''
    // In one piece: the log goes to the same place.
    process.stderr.write(`error[${code}] ${reason}\n${fix}`)
    await tell({ kind: 'failed', code, reason })
    process.exit(error instanceof UsageError ? 2 : 1)
  }
}

async function serveUntilStopped(
  { options, notes }: Extract<Command, { kind: 'serve' }>,
  signal: AbortSignal,
): Promise<void> {
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime })
  for (const note of notes) logger.warn(note)
  const onListening = ({ port, grpc }: Listening): void =>
    void tell({ kind: 'listening', port, ...(grpc && { grpcPort: grpc.port }) })
  await using traces = openTraces(process.env, logger)
  const server = await startServer({ ...options, ...(traces && { traces }), logger, onListening }, signal)
  await tell({ kind: 'ready' })
  await server.closed
}

/** Tells the parent, if there is one and it still listens. */
function tell(message: object): Promise<void> {
  return new Promise(resolve => {
    // A parent that has gone is not waited for; whoever comes after it finds this process by other means.
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, undefined, undefined, () => resolve())
  })
}
