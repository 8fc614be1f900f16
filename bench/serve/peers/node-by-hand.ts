import { join } from 'node:path'
import type { ServerContender } from '../contender.ts'

/** Inference in the thread that takes requests: what a health probe waits for. */
export const NODE_BY_HAND: ServerContender = {
  kind: 'server',
  name: 'node-by-hand',
  protocols: ['raw'],
  healthPath: '/healthz',
  toLaunch: ({ node, model, ports }) => {
    const app = join(import.meta.dirname, 'node-by-hand-app.ts')
    return { command: [node, app, model.path, JSON.stringify(model.shape), String(ports.http)] }
  },
}
