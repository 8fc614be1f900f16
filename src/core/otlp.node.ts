import { toErrorText } from './errors.ts'
import { type Span, type TraceSettings, toExportJson } from './otlp.ts'

/** Sends spans to a collector. Disposal sends what is left, for as long as one export may take. */
export interface TraceExporter extends AsyncDisposable {
  readonly settings: TraceSettings
  /** Takes a span; never waits and never throws. */
  add(span: Span): void
  readonly counts: TraceCounts
}

/** What became of spans so far. */
export interface TraceCounts {
  readonly sent: number
  /** There was no room for them, for the collector was too slow. */
  readonly dropped: number
  /** The collector was away, or refused them. */
  readonly failed: number
}

/** How many spans wait at most, and go at once. Defaults of OpenTelemetry's batch processor. */
const MAX_WAITING = 2048
const MAX_BATCH = 512
const DELAY_MS = 5_000

/** Opens an exporter, one export at a time. `onFailure` is told of the first failure after a success. */
export function openTraceExporter(
  settings: TraceSettings,
  onFailure: (text: string) => void = () => {},
): TraceExporter {
  const waiting: Span[] = []
  const counts = { sent: 0, dropped: 0, failed: 0 }
  let isFailing = false
  let exporting: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  return {
    settings,
    get counts() {
      return { ...counts }
    },
    add(span) {
      if (waiting.length >= MAX_WAITING) {
        counts.dropped += 1
        return
      }
      waiting.push(span)
      if (waiting.length >= MAX_BATCH) exportSoon()
      else timer ??= setTimeout(exportSoon, DELAY_MS).unref()
    },
    async [Symbol.asyncDispose]() {
      const end = AbortSignal.timeout(settings.timeoutMs)
      while (!end.aborted && (waiting.length > 0 || exporting !== undefined)) {
        exportSoon()
        await exporting
      }
      clearTimeout(timer)
    },
  }

  function exportSoon(): void {
    clearTimeout(timer)
    timer = undefined
    if (waiting.length === 0) return
    // It ends well whatever happens: failures are counted.
    exporting ??= exportBatches().finally(() => {
      exporting = undefined
    })
  }

  /** Sends until less than a whole batch waits, but at least once. */
  async function exportBatches(): Promise<void> {
    do await send(waiting.splice(0, MAX_BATCH))
    while (waiting.length >= MAX_BATCH)
    if (waiting.length > 0) timer ??= setTimeout(exportSoon, DELAY_MS).unref()
  }

  async function send(spans: readonly Span[]): Promise<void> {
    try {
      const response = await fetch(settings.url, {
        method: 'POST',
        headers: { ...settings.headers, 'content-type': 'application/json' },
        body: toExportJson(spans, settings.resource),
        redirect: 'error',
        signal: AbortSignal.timeout(settings.timeoutMs),
      })
      await response.body?.cancel()
      if (!response.ok) throw new Error(`the collector answered ${response.status}`)
      counts.sent += spans.length
      isFailing = false
    } catch (error) {
      counts.failed += spans.length
      if (!isFailing) onFailure(`Cannot send traces to ${new URL(settings.url).origin}: ${toErrorText(error)}`)
      isFailing = true
    }
  }
}
