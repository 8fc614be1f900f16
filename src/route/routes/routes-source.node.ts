import { setTimeout as sleep } from 'node:timers/promises'
import { toErrorText } from '../../core/errors.ts'
import { readFileIfAny } from '../../core/files.node.ts'
import { toCanonicalJson } from '../../core/json.ts'
import { parseRoutes, type Routes } from '../../core/wire/routes.ts'
import { toBackOffMs } from '../back-off.ts'
import type { Control } from '../control.node.ts'
import type { Limits } from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { RouteSource } from './route-source.ts'

/** What a source of routes is made of. */
export interface RouteSourceOptions {
  /** The target's record of the routes; it may be missing. */
  readonly file: string
  readonly control: Pick<Control, 'streamRoutes'>
  readonly limits: Pick<Limits, 'maxBackOffMs'>
  readonly logger: Logger
  /** Finds the replicas of routes where control does not tell them; where there is none, the last ones stay. */
  readonly findReplicas?: ((routes: Routes) => Promise<Routes>) | undefined
}

/**
 * The routes of the record first, so that a gateway routes without control; then those that control streams, again
 * and again, however often the stream breaks. While control is away, replicas are looked for where that is possible. A
 * document that is none is told in the log and has no effect.
 */
export function openRouteSource(options: RouteSourceOptions): RouteSource {
  return {
    async *watch(signal) {
      const recorded = await readRecord(options)
      if (recorded !== undefined) yield recorded
      yield* followControl(options, signal, recorded)
    },
  }
}

async function* followControl(
  options: RouteSourceOptions,
  signal: AbortSignal,
  recorded: Routes | undefined,
): AsyncGenerator<Routes> {
  const { control, limits, logger } = options
  let last = recorded
  let isAway = false
  for (let failures = 0; !signal.aborted; ) {
    try {
      for await (const line of control.streamRoutes(signal)) {
        if (isAway) logger.info({}, 'Control streams the routes again')
        isAway = false
        failures = 0
        const routes = parseLine(logger, line, 'control')
        if (routes === undefined) continue
        last = routes
        yield routes
      }
    } catch (error) {
      if (signal.aborted) return
      if (!isAway) logger.warn({ error: toErrorText(error) }, 'Control is away: the last routes stay in force')
      isAway = true
    }
    failures += 1
    const found = await lookAgain(options, last)
    if (found !== undefined) {
      last = found
      yield found
    }
    await sleep(toBackOffMs(failures, limits.maxBackOffMs), undefined, { signal }).catch(() => {})
  }
}

/** The last routes with other replicas, where there are others now. */
async function lookAgain({ findReplicas }: RouteSourceOptions, last: Routes | undefined): Promise<Routes | undefined> {
  if (findReplicas === undefined || last === undefined) return undefined
  const found = await findReplicas(last)
  return toCanonicalJson(found) === toCanonicalJson(last) ? undefined : found
}

async function readRecord({ file, logger }: RouteSourceOptions): Promise<Routes | undefined> {
  try {
    const text = await readFileIfAny(file)
    return text === undefined ? undefined : parseLine(logger, text, file)
  } catch (error) {
    logger.error({ file, error: toErrorText(error) }, 'Cannot read the routes on record')
    return undefined
  }
}

function parseLine(logger: Logger, text: string, from: string): Routes | undefined {
  try {
    return parseRoutes(JSON.parse(text))
  } catch (error) {
    logger.error({ from, error: toErrorText(error) }, 'Cannot use these routes: the last ones stay in force')
    return undefined
  }
}
