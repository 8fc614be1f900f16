import { join } from 'node:path'
import type { ServerContender } from '../contender.ts'

/** LitServe with one worker and one process that takes requests. */
export const LITSERVE: ServerContender = {
  kind: 'server',
  name: 'litserve',
  protocols: ['json'],
  python: { requirements: 'litserve' },
  toLaunch: ({ python, model, ports }) => ({
    command: [python, join(import.meta.dirname, 'litserve_app.py')],
    env: { MODEL_PATH: model.path, PORT: String(ports.http) },
  }),
}
