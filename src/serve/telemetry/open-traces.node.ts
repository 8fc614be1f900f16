import { toErrorText } from '../../core/errors.ts'
import { openTraceExporter, type TraceExporter } from '../../core/otlp.node.ts'
import { parseTraceSettings } from '../../core/otlp.ts'
import type { Logger } from '../options.ts'

/**
 * Sends traces where OpenTelemetry's variables say, or nowhere. They are often set for all programs of a place: wrong
 * ones are told of in the log, and stop nothing.
 */
export function openTraces(
  env: Readonly<Record<string, string | undefined>>,
  logger: Pick<Logger, 'warn'>,
): TraceExporter | undefined {
  try {
    const settings = parseTraceSettings(env, 'regatta-server')
    return settings === undefined ? undefined : openTraceExporter(settings, text => logger.warn(text))
  } catch (error) {
    logger.warn(toErrorText(error))
    return undefined
  }
}
