import { UsageError } from '../../core/errors.ts'
import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'

type Flags = {
  readonly modelName: string
  readonly modelBasePath: string
  readonly host: string
  readonly httpPort: string
}

/** `regatta serve`: one model server over a folder, without a deployment. */
export const serve = verb<Flags>({
  brief: 'Serve a model folder (FOLDER/VERSION/model.onnx) over HTTP',
  flags: {
    modelName: { kind: 'parsed', parse: String, brief: 'Name in the URL', placeholder: 'name', default: 'model' },
    modelBasePath: {
      kind: 'parsed',
      parse: String,
      brief: 'Folder that holds a folder per version',
      placeholder: 'folder',
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
      brief: 'Port to listen on; 0 takes a free one',
      placeholder: 'port',
      default: '8501',
    },
  },
  async run(call, flags) {
    const httpPort = parsePort(flags.httpPort)
    const { serveUntilAborted } = await import('../serving.node.ts')
    await serveUntilAborted(call, { ...flags, httpPort })
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
