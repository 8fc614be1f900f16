import { openLayout } from '../../../oci/index.ts'
import { openLocalTarget } from '../../index.ts'
import { isReady, listPids, QUICK, toPlan, until } from './place.ts'

/* Runs a local target until it is killed: FOLDER LAYOUT PROGRAM DIGEST. Tells its children's pids over IPC. */
const [folder = '', layout = '', program = '', digest = ''] = process.argv.slice(2)
const target = await openLocalTarget({
  folder,
  layout: await openLayout(layout),
  deployment: 'forecast',
  commands: { server: [process.execPath, program, 'well'], gateway: [process.execPath, program, 'well'] },
  gateway: { host: '127.0.0.1', httpPort: 0, controlUrl: 'http://127.0.0.1:1', token: 'secret-token' },
  clock: Date.now,
  timings: QUICK,
})
await target.apply(toPlan([['a', 1, 1, digest, 2]]), AbortSignal.timeout(10_000))
const state = await until(target, isReady('a-1', 'a-2'))
process.send?.({ pids: listPids(state), urls: [state.gatewayUrl, ...state.replicas.map(replica => replica.url)] })
