import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** A replica in a process of its own. Disposal kills it. */
export interface ReplicaProcess extends AsyncDisposable {
  readonly url: string
  readonly grpcUrl: string
  readonly child: ChildProcess
}

/** Starts a replica that answers `value` after `pauseMs`. */
export async function startReplica(value: number, pauseMs: number): Promise<ReplicaProcess> {
  const child = fork(join(import.meta.dirname, 'replica.ts'), [String(value), String(pauseMs)])
  const [urls] = await once(child, 'message')
  return {
    url: String(urls.http),
    grpcUrl: String(urls.grpc),
    child,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
