import { SERVER_FLAGS, type ServerFlag, type ServerFlagName, toFlagText } from '../../serve/api.ts'
import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'

type Flags = Readonly<Record<ServerFlagName, string | boolean | undefined>>

/** `regatta serve`: one model server over a folder, or over a file that names several, without a deployment. */
export const serve = verb<Flags>({
  brief: 'Serve model folders (FOLDER/VERSION/model.onnx) over HTTP and gRPC',
  description:
    'Serves the highest version of one model, or the models, versions and labels of a file in the form of TensorFlow ' +
    "Serving's model configs. A new version that is found on disk is loaded and warmed before the old one goes. " +
    'A token, in a file or in REGATTA_SERVE_TOKEN, keeps strangers from everything but probes. Traces go where ' +
    "OpenTelemetry's variables say.",
  // stricli cannot see that a table made of another has its names.
  flags: Object.fromEntries(Object.entries(SERVER_FLAGS).map(([name, flag]) => [name, toParameter(flag)])) as never,
  async run(call, flags) {
    const { serveUntilAborted } = await import('../serving.node.ts')
    await serveUntilAborted(call, toParameters(flags))
    return EXIT.done
  },
})

function toParameter({ brief, placeholder, default: fallback }: ServerFlag): object {
  if (placeholder === undefined) return { kind: 'boolean', brief, default: false, withNegated: false }
  const value = { kind: 'parsed', parse: String, brief, placeholder }
  return fallback === undefined ? { ...value, optional: true } : { ...value, default: fallback }
}

/** The command line of the server's process that says the same. */
function toParameters(flags: Flags): readonly string[] {
  return (Object.keys(SERVER_FLAGS) as ServerFlagName[]).flatMap(name => {
    const value = flags[name]
    if (value === undefined || value === false) return []
    return value === true ? [`--${toFlagText(name)}`] : [`--${toFlagText(name)}=${value}`]
  })
}
