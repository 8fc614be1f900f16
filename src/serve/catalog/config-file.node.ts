import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { RegattaError, toErrorText, UsageError } from '../../core/errors.ts'
import { Refusal } from '../errors.ts'
import type { Logger, ModelConfigFile } from '../options.ts'
import { parseModelConfigs } from '../tfs/model-config.ts'
import type { Catalog, ModelConfig } from './catalog.ts'

/** What a file says to serve, and its text. @throws TEXT_PROTO, MODEL_CONFIG */
export async function readModelConfigs(
  path: string,
): Promise<{ readonly configs: readonly ModelConfig[]; readonly text: string }> {
  try {
    const text = await readFile(path, 'utf8')
    return { configs: parseModelConfigs(text, path), text }
  } catch (error) {
    if (error instanceof RegattaError && !(error instanceof Refusal)) throw error
    throw new UsageError('MODEL_CONFIG', `Cannot use the models' file: ${toErrorText(error)}`, {
      where: path,
      cause: error,
    })
  }
}

/** For so long a text must stay the same before it counts, ms. */
const SETTLE_MS = 200

/**
 * Follows a file until the signal aborts: another text in it is served from then on. What cannot be read or loaded leaves
 * all as it was, is logged, and is not tried again before the text is another.
 */
export async function followModelConfigs(
  { path, pollMs }: ModelConfigFile,
  firstText: string,
  catalog: Catalog,
  logger: Logger | undefined,
  signal: AbortSignal,
): Promise<void> {
  let lastText = firstText
  let lastProblem = ''
  while (!signal.aborted) {
    try {
      await sleep(pollMs, undefined, { signal })
      const text = await readFile(path, 'utf8')
      lastProblem = ''
      if (text === lastText) continue
      // Whoever writes it may not be done: half a file may be a whole text, and serve half the models.
      await sleep(Math.min(pollMs, SETTLE_MS), undefined, { signal })
      if ((await readFile(path, 'utf8')) !== text) continue
      lastText = text
      await catalog.reload(parseModelConfigs(text, path))
      logger?.info({ path, models: catalog.names }, 'the models of the file are served')
    } catch (error) {
      if (signal.aborted) return
      if (toErrorText(error) !== lastProblem) logger?.error({ path, error: toErrorText(error) }, 'the models stay')
      lastProblem = toErrorText(error)
    }
  }
}
