import { join } from 'node:path'
import type { Launch, Place, ServerContender } from '../contender.ts'
import { SERVED_NAME } from '../protocols.ts'

/** Inference in the server's own process. */
export const MLSERVER: ServerContender = {
  kind: 'server',
  name: 'mlserver-workers-0',
  protocols: ['v2-json', 'v2-grpc'],
  python: { requirements: 'mlserver' },
  toLaunch: place => toLaunch(place, { parallel_workers: 0 }),
}

/** As it comes: inference in one worker process. */
export const MLSERVER_DEFAULT: ServerContender = {
  kind: 'server',
  name: 'mlserver-default',
  protocols: ['v2-json'],
  python: { requirements: 'mlserver' },
  toLaunch: place => toLaunch(place, {}),
}

function toLaunch({ pythonBin, model, ports }: Place, more: object): Launch {
  const settings = {
    ...{ host: '127.0.0.1', http_port: ports.http, grpc_port: ports.grpc, metrics_port: ports.metrics },
    // Else it writes a line for every request.
    ...{ debug: false, ...more },
  }
  const parameters = { uri: model.path }
  const modelSettings = { name: SERVED_NAME, implementation: 'mlserver_app.OnnxModel', parameters }
  return {
    command: [join(pythonBin, 'mlserver'), 'start', '.'],
    env: { PYTHONPATH: import.meta.dirname },
    files: {
      'settings.json': JSON.stringify(settings),
      'model-settings.json': JSON.stringify(modelSettings),
    },
  }
}
