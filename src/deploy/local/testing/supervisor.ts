import { parseDigest } from '../../../core/brands.ts'
import { openLayout } from '../../../oci/index.ts'
import { openLocalTarget } from '../../index.ts'
import { deploy, listProcesses, QUICK, toPlan } from './place.ts'

/* Runs a local target until it is killed: FOLDER LAYOUT PROGRAM DIGEST. Tells its children's identities and URLs over IPC. */
const [folder = '', layout = '', program = '', digest = ''] = process.argv.slice(2)
const target = await openLocalTarget({
  folder,
  layout: await openLayout(layout),
  deployment: 'forecast',
  commands: { server: [process.execPath, program, 'well'], gateway: [process.execPath, program, 'well'] },
  gateway: { host: '127.0.0.1', httpPort: 0, grpcPort: 0, controlUrl: 'http://127.0.0.1:1', token: 'secret-token' },
  clock: Date.now,
  timings: QUICK,
})
const state = await deploy(target, toPlan([['a', 1, 1, parseDigest(digest), 2]]))
process.send?.({
  processes: listProcesses(state),
  urls: [state.gatewayUrl, ...state.replicas.map(replica => replica.url)],
})
