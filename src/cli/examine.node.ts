import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { readProject, toStatePaths } from '../config/index.ts'
import { RegattaError, toErrorText } from '../core/errors.ts'
import { readProcessId } from '../core/process.node.ts'
import { readUpRecord } from '../core/up-record.node.ts'
import { openLayout } from '../oci/index.ts'
import { listVersions } from '../pack/index.ts'
import { toSize } from './terminal.ts'
import { readToken } from './token.node.ts'
import type { Call } from './verb.ts'

/** One thing looked at: `ok`, a `note` worth knowing, or `bad`: something will not work. */
export interface Finding {
  readonly name: string
  readonly state: 'ok' | 'note' | 'bad'
  readonly detail: string
  readonly fix?: string
}

type Check = (call: Call) => Promise<Omit<Finding, 'name'>>

/** Room for a base layer, a runtime layer and a model, with some to spare. */
const WANTED_FREE_BYTES = 1e9

const CHECKS: Readonly<Record<string, Check>> = {
  node: async () => ({ state: 'ok', detail: `Node ${process.versions.node} on ${process.platform} ${process.arch}` }),
  proc: async () =>
    readProcessId(process.pid) === undefined
      ? { state: 'bad', detail: '/proc is not readable: processes cannot be supervised', fix: 'Mount /proc' }
      : { state: 'ok', detail: 'processes can be told apart' },
  bundles: async call =>
    existsSync(call.installation.runtimeFolder)
      ? { state: 'ok', detail: 'the runtime layer of images is there' }
      : {
          state: 'bad',
          detail: `${call.installation.runtimeFolder} is missing: nothing can be packed`,
          fix: 'npm run build',
        },
  disk: async call => {
    const { bavail, bsize } = await statfs(call.cwd)
    const free = bavail * bsize
    return free < WANTED_FREE_BYTES
      ? { state: 'bad', detail: `${toSize(free)} free`, fix: 'Free some space; images need about 200 MB each base' }
      : { state: 'ok', detail: `${toSize(free)} free` }
  },
  project: async call => {
    const { name, targets } = await readProject(call.cwd, call.env)
    return { state: 'ok', detail: `regatta.yaml describes "${name}" on port ${targets.local.httpPort}` }
  },
  layout: async call => {
    const project = await readProject(call.cwd, call.env)
    const versions = await listVersions(await openLayout(toStatePaths(project.folder).layout), project.name)
    return { state: 'ok', detail: `${versions.length} versions packed` }
  },
  token: async call => {
    const token = await readToken(toStatePaths(call.cwd).token)
    return { state: 'ok', detail: token === undefined ? 'none yet; made by regatta up' : 'readable by its owner alone' }
  },
  ports: async call => {
    const { targets } = await readProject(call.cwd, call.env)
    if ((await readUpRecord(toStatePaths(call.cwd).upRecord)) !== undefined)
      return { state: 'ok', detail: 'regatta runs and uses its ports' }
    const { controlPort, grpcPort, host, httpPort } = targets.local
    const taken = (
      await Promise.all([httpPort, grpcPort, controlPort].map(async port => ((await isFree(host, port)) ? [] : [port])))
    ).flat()
    return taken.length === 0
      ? { state: 'ok', detail: `${httpPort}, ${grpcPort} and ${controlPort} are free` }
      : {
          state: 'bad',
          detail: `another program uses port ${taken.join(' and ')}`,
          fix: 'Stop it, or set targets.local.httpPort, grpcPort and controlPort',
        }
  },
}

/** Looks at everything; a check that throws becomes a finding with the error's sentence and fix. */
export async function examine(call: Call): Promise<readonly Finding[]> {
  return await Promise.all(
    Object.entries(CHECKS).map(async ([name, check]): Promise<Finding> => {
      try {
        return { name, ...(await check(call)) }
      } catch (error) {
        const fix = error instanceof RegattaError ? error.fix : undefined
        return { name, state: 'bad', detail: toErrorText(error), ...(fix === undefined ? {} : { fix }) }
      }
    }),
  )
}

async function isFree(host: string, port: number): Promise<boolean> {
  if (port === 0) return true
  const server = createServer()
  const free = await new Promise<boolean>(resolve => {
    server.once('error', () => resolve(false))
    server.listen(port, host, () => resolve(true))
  })
  if (free) await new Promise(resolve => server.close(resolve))
  return free
}
