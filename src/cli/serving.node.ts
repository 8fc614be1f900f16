import { resolve } from 'node:path'
import { UsageError } from '../core/errors.ts'
import {
  type Logger,
  readSecurity,
  type SecurityFiles,
  type ServerOptions,
  startServer,
  toSingleModel,
} from '../serve/index.ts'
import type { Call } from './verb.ts'

/** What to serve, and where. */
export interface ServeFlags extends SecurityFiles {
  readonly modelName: string | undefined
  readonly modelBasePath: string | undefined
  readonly modelConfigFile: string | undefined
  readonly modelConfigFilePollWaitSeconds: number
  readonly fileSystemPollWaitSeconds: number
  readonly allowModelControl: boolean
  readonly host: string
  readonly httpPort: number
  readonly grpcPort: number
}

/** Serves models until the signal aborts, then lets requests in flight finish. @throws USAGE; as `startServer` */
export async function serveUntilAborted(call: Call, flags: ServeFlags): Promise<void> {
  const security = await readSecurity(toFiles(call, flags), call.env)
  const server = await startServer(
    {
      ...security,
      models: toModels(call, flags),
      pollMs: flags.fileSystemPollWaitSeconds * 1000,
      allowModelControl: flags.allowModelControl,
      host: flags.host,
      httpPort: flags.httpPort,
      grpcPort: flags.grpcPort,
      logger: toLogger(call),
    },
    call.signal,
  )
  const [url, grpcUrl] = [server.url, server.grpc?.url]
  const told = { schema: 'regatta/serve/v1', url, grpcUrl }
  call.out(call.json ? `${JSON.stringify(told)}\n` : `${url}\n${grpcUrl} (gRPC)\n`)
  await server.closed
}

function toFiles({ cwd }: Call, flags: SecurityFiles): SecurityFiles {
  const toPath = (path: string | undefined) => (path === undefined ? undefined : resolve(cwd, path))
  const { tlsCert, tlsKey, tlsClientCa, tokenFile } = flags
  return {
    tlsCert: toPath(tlsCert),
    tlsKey: toPath(tlsKey),
    tlsClientCa: toPath(tlsClientCa),
    tokenFile: toPath(tokenFile),
  }
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
