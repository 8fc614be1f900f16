import { resolve } from 'node:path'
import { UsageError } from '../core/errors.ts'
import { type Logger, type ServerOptions, startServer, toSingleModel } from '../serve/index.ts'
import type { Call } from './verb.ts'

/** What to serve, and where. */
export interface ServeFlags {
  readonly modelName: string | undefined
  readonly modelBasePath: string | undefined
  readonly modelConfigFile: string | undefined
  readonly modelConfigFilePollWaitSeconds: number
  readonly fileSystemPollWaitSeconds: number
  readonly allowModelControl: boolean
  readonly host: string
  readonly httpPort: number
}

/** Serves models until the signal aborts, then lets requests in flight finish. @throws USAGE; as `startServer` */
export async function serveUntilAborted(call: Call, flags: ServeFlags): Promise<void> {
  const server = await startServer(
    {
      models: toModels(call, flags),
      pollMs: flags.fileSystemPollWaitSeconds * 1000,
      allowModelControl: flags.allowModelControl,
      host: flags.host,
      httpPort: flags.httpPort,
      logger: toLogger(call),
    },
    call.signal,
  )
  call.out(call.json ? `${JSON.stringify({ schema: 'regatta/serve/v1', url: server.url })}\n` : `${server.url}\n`)
  await server.closed
}

function toModels({ cwd }: Call, flags: ServeFlags): ServerOptions['models'] {
  const { modelBasePath, modelConfigFile, modelConfigFilePollWaitSeconds, modelName } = flags
  if (modelConfigFile !== undefined) {
    if (modelBasePath !== undefined || modelName !== undefined) {
      throw new UsageError('USAGE', 'Cannot use --model-config-file with --model-name or --model-base-path', {
        fix: 'Give one or the other',
      })
    }
    return { path: resolve(cwd, modelConfigFile), pollMs: modelConfigFilePollWaitSeconds * 1000 }
  }
  if (modelBasePath === undefined) {
    throw new UsageError('USAGE', 'Cannot serve without --model-base-path or --model-config-file', {
      fix: 'Give the folder that holds VERSION/model.onnx, or a file that names several models',
    })
  }
  return [toSingleModel(modelName ?? 'model', resolve(cwd, modelBasePath))]
}

/** What goes wrong while others serve is told on stderr. */
function toLogger({ err }: Call): Logger {
  const write = (about: unknown, text = ''): void => err(`${text} ${JSON.stringify(about)}\n`)
  return { info: () => {}, warn: write, error: write }
}
