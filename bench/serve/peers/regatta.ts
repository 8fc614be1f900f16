import type { Launch, Place, ServerContender } from '../contender.ts'
import { SERVED_NAME } from '../protocols.ts'

/** The model server of this repository, from its bundle. */
export const REGATTA: ServerContender = {
  kind: 'server',
  name: 'regatta',
  protocols: ['v2-json', 'v2-binary', 'v1-json', 'tfs-grpc', 'v2-grpc'],
  isBatching: true,
  healthPath: '/healthz',
  toLaunch,
}

/** The same with every request run alone. */
export const REGATTA_UNBATCHED: ServerContender = {
  kind: 'server',
  name: 'regatta-unbatched',
  models: ['mlp', 'rnn'],
  protocols: ['v2-json'],
  isBatching: true,
  toLaunch: place => {
    const { command, ...rest } = toLaunch(place)
    return { command: [...command, '--batch-max-rows', '1'], ...rest }
  },
}

function toLaunch({ node, server, model, ports }: Place): Launch {
  const place = ['--model-name', SERVED_NAME, '--model-base-path', model.basePath]
  return {
    command: [node, server, ...place, '--http-port', String(ports.http), '--grpc-port', String(ports.grpc)],
    env: { NODE_ENV: 'production' },
  }
}
