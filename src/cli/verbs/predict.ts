import { resolve } from 'node:path'
import { UsageError } from '../../core/errors.ts'
import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'

type Flags = {
  readonly series: string | undefined
  readonly at: string | undefined
  readonly entity: string | undefined
  readonly clientCert: string | undefined
  readonly clientKey: string | undefined
}

/** `regatta predict`: one request through the gateway, as any client would send it. */
export const predict = verb<Flags>({
  brief: 'Send a request file through the gateway',
  description:
    'The file holds a TensorFlow Serving request, such as {"instances": [[1, 2, 3]]}; - reads it from stdin.',
  flags: {
    series: {
      kind: 'parsed',
      parse: String,
      brief: 'The series that is predicted',
      placeholder: 'name',
      optional: true,
    },
    at: {
      kind: 'parsed',
      parse: String,
      brief: 'The time that is predicted: ISO 8601 or epoch ms',
      placeholder: 'time',
      optional: true,
    },
    entity: {
      kind: 'parsed',
      parse: String,
      brief: 'Whom the prediction is for: one entity always gets one variant',
      placeholder: 'id',
      optional: true,
    },
    clientCert: {
      kind: 'parsed',
      parse: String,
      brief: 'PEM file of a certificate, for a gateway that wants one (targets.local.tls.clientCa)',
      placeholder: 'file',
      optional: true,
    },
    clientKey: { kind: 'parsed', parse: String, brief: 'Its private key', placeholder: 'file', optional: true },
  },
  args: [{ brief: 'The request file, or -', placeholder: 'file' }],
  deployment: true,
  async run(call, flags, [file = '-']) {
    const { openClient } = await import('../client.node.ts')
    const { sendPrediction } = await import('../predicting.node.ts')
    const { readAccess } = await import('../token.node.ts')
    const { openWorkplace } = await import('../workplace.node.ts')
    const workplace = await openWorkplace(call)
    const { paths, project } = workplace
    await using client = await openClient(call, workplace)
    await using gateway = await client.openGateway()
    const { tls } = project.targets.local
    const isLocal = call.target === 'local'
    const answer = await sendPrediction(call, {
      file,
      gateway: gateway.url,
      model: project.name,
      headers: { ...toHeaders(flags), ...(await readAccess(paths.token, project.serve.access)) },
      certificate: isLocal && tls !== undefined ? resolve(project.folder, tls.cert) : undefined,
      client: toClient(flags, call.cwd),
    })
    if (call.json) call.out(`${JSON.stringify({ schema: 'regatta/predict/v1', ...answer })}\n`)
    else {
      call.out(`${JSON.stringify(answer.body)}\n`)
      call.err(`prediction ${answer.prediction} by ${answer.variant}\n`)
    }
    return EXIT.done
  },
})

function toClient({ clientCert, clientKey }: Flags, cwd: string): { cert: string; key: string } | undefined {
  if (clientCert === undefined && clientKey === undefined) return undefined
  if (clientCert === undefined || clientKey === undefined)
    throw new UsageError(
      'CLIENT_CERT',
      'Cannot use a certificate without its key: expected --client-cert and --client-key',
      { fix: 'Give both, or neither' },
    )
  return { cert: resolve(cwd, clientCert), key: resolve(cwd, clientKey) }
}

function toHeaders({ at, entity, series }: Flags): Readonly<Record<string, string>> {
  const all = { 'x-regatta-series': series, 'x-regatta-at': at, 'x-regatta-entity': entity }
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
