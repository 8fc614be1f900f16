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
    const { serveUntilAborted } = await import('../serving.node.ts')
    await serveUntilAborted(call, flags)
    return EXIT.done
  },
})
