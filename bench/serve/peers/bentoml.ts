import { join } from 'node:path'
import type { ServerContender } from '../contender.ts'

/** BentoML with one worker. */
export const BENTOML: ServerContender = {
  kind: 'server',
  name: 'bentoml',
  protocols: ['json'],
  python: { requirements: 'bentoml' },
  toLaunch: ({ pythonBin, model, folder, ports }) => ({
    command: [
      join(pythonBin, 'bentoml'),
      ...['serve', 'bentoml_app:Service', '--working-dir', import.meta.dirname],
      ...['--host', '127.0.0.1', '--port', String(ports.http)],
    ],
    env: { MODEL_PATH: model.path, BENTOML_HOME: folder, BENTOML_DO_NOT_TRACK: 'True' },
  }),
}
