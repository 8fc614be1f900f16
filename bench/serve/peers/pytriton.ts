import { join } from 'node:path'
import type { ServerContender } from '../contender.ts'
import { SERVED_NAME } from '../protocols.ts'

/** Triton as the package nvidia-pytriton carries it, built for the Python of Debian 12. */
export const PYTRITON: ServerContender = {
  kind: 'server',
  name: 'pytriton',
  protocols: ['v2-json', 'v2-binary', 'v2-grpc'],
  python: { requirements: 'pytriton', interpreter: '/usr/bin/python3.11' },
  toLaunch: ({ python, model, folder, ports }) => ({
    command: [python, join(import.meta.dirname, 'pytriton_app.py')],
    env: {
      ...{ MODEL_PATH: model.path, MODEL_NAME: SERVED_NAME, PYTRITON_HOME: folder },
      ...{ HTTP_PORT: String(ports.http), GRPC_PORT: String(ports.grpc), METRICS_PORT: String(ports.metrics) },
    },
  }),
}
