import { join } from 'node:path'
import type { ServerContender } from '../contender.ts'
import { SERVED_NAME } from '../protocols.ts'

/** KServe's Python server, one process. */
export const KSERVE: ServerContender = {
  kind: 'server',
  name: 'kserve',
  protocols: ['v2-json', 'v2-binary', 'v2-grpc'],
  python: { requirements: 'kserve' },
  toLaunch: ({ python, model, ports }) => ({
    command: [
      python,
      join(import.meta.dirname, 'kserve_app.py'),
      ...['--http_port', String(ports.http), '--grpc_port', String(ports.grpc), '--workers', '1'],
      ...['--enable_latency_logging', 'false', '--log_config_file', 'log.json'],
    ],
    env: { MODEL_PATH: model.path, MODEL_NAME: SERVED_NAME },
    // Else it writes lines for every request.
    files: { 'log.json': JSON.stringify({ version: 1, root: { level: 'WARNING' } }) },
  }),
}
