import { join } from 'node:path'
import type { ServerContender } from '../contender.ts'

/** FastAPI under uvicorn with uvloop and httptools, one process. */
export const FASTAPI: ServerContender = {
  kind: 'server',
  name: 'fastapi',
  protocols: ['json'],
  python: { requirements: 'fastapi' },
  toLaunch: ({ pythonBin, model, ports }) => ({
    command: [
      join(pythonBin, 'uvicorn'),
      ...['--app-dir', import.meta.dirname, '--port', String(ports.http)],
      ...['--loop', 'uvloop', '--http', 'httptools', '--no-access-log', 'fastapi_app:app'],
    ],
    env: { MODEL_PATH: model.path },
  }),
}
