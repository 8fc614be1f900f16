import { UsageError } from '../../core/errors.ts'
import { EXIT } from '../errors.ts'
import type { ServeFlags } from '../serving.node.ts'
import { verb } from '../verb.ts'

type Flags = Omit<
  ServeFlags,
  'httpPort' | 'grpcPort' | 'modelConfigFilePollWaitSeconds' | 'fileSystemPollWaitSeconds'
> & {
  readonly httpPort: string
  readonly grpcPort: string
  readonly modelConfigFilePollWaitSeconds: string
  readonly fileSystemPollWaitSeconds: string
}

const file = (brief: string) => ({ kind: 'parsed', parse: String, brief, placeholder: 'file', optional: true }) as const

/** `regatta serve`: one model server over a folder, or over a file that names several, without a deployment. */
export const serve = verb<Flags>({
  brief: 'Serve model folders (FOLDER/VERSION/model.onnx) over HTTP and gRPC',
  description:
    'Serves the highest version of one model, or the models, versions and labels of a file in the form of TensorFlow ' +
    "Serving's model configs. A new version that is found on disk is loaded and warmed before the old one goes. " +
    'A token, in a file or in REGATTA_SERVE_TOKEN, keeps strangers from everything but probes.',
  flags: {
    modelName: {
      kind: 'parsed',
      parse: String,
      brief: 'Name in the URL (default: model)',
      placeholder: 'name',
      optional: true,
    },
    modelBasePath: {
      kind: 'parsed',
      parse: String,
      brief: 'Folder that holds a folder per version',
      placeholder: 'folder',
      optional: true,
    },
    modelConfigFile: {
      kind: 'parsed',
      parse: String,
      brief: 'File that names several models, instead',
      placeholder: 'file',
      optional: true,
    },
    modelConfigFilePollWaitSeconds: {
      kind: 'parsed',
      parse: String,
      brief: 'Time between two looks at that file; 0 looks once',
      placeholder: 'seconds',
      default: '0',
    },
    fileSystemPollWaitSeconds: {
      kind: 'parsed',
      parse: String,
      brief: 'Time between two looks for versions; 0 looks once',
      placeholder: 'seconds',
      default: '0',
    },
    allowModelControl: {
      kind: 'boolean',
      brief: 'Let clients load and unload models',
      default: false,
      withNegated: false,
    },
    host: {
      kind: 'parsed',
      parse: String,
      brief: 'Address to listen on',
      placeholder: 'address',
      default: '127.0.0.1',
    },
    httpPort: {
      kind: 'parsed',
      parse: String,
      brief: 'Port of HTTP; 0 takes a free one',
      placeholder: 'port',
      default: '8501',
    },
    grpcPort: {
      kind: 'parsed',
      parse: String,
      brief: 'Port of gRPC; 0 takes a free one',
      placeholder: 'port',
      default: '8500',
    },
    tlsCert: file('PEM file of the certificate, for TLS on both ports'),
    tlsKey: file("PEM file of the certificate's private key"),
    tlsClientCa: file('PEM file of who signs the certificates that clients must have'),
    tokenFile: file('File of the token that clients must bear'),
  },
  async run(call, flags) {
    const httpPort = parsePort(flags.httpPort)
    const grpcPort = parsePort(flags.grpcPort)
    const modelConfigFilePollWaitSeconds = parseSeconds(flags.modelConfigFilePollWaitSeconds)
    const fileSystemPollWaitSeconds = parseSeconds(flags.fileSystemPollWaitSeconds)
    const { serveUntilAborted } = await import('../serving.node.ts')
    await serveUntilAborted(call, {
      ...flags,
      httpPort,
      grpcPort,
      modelConfigFilePollWaitSeconds,
      fileSystemPollWaitSeconds,
    })
    return EXIT.done
  },
})

/** Reads a port, 0 to 65535. @throws PORT */
export function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new UsageError('PORT', `Cannot read "${text}" as a port: expected 0 to 65535`)
  }
  return Number(text)
}

function parseSeconds(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new UsageError('SECONDS', `Cannot read "${text}" as seconds: expected a whole number from 0 on`)
}
