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
    await sleep(pollMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    try {
      const { configs, text } = await readModelConfigs(path)
      lastProblem = ''
      if (text === lastText) continue
      lastText = text
      await catalog.reload(configs)
      logger?.info({ path, models: catalog.names }, 'the models of the file are served')
    } catch (error) {
      if (toErrorText(error) !== lastProblem) logger?.error({ path, error: toErrorText(error) }, 'the models stay')
      lastProblem = toErrorText(error)
    }
  }
}
